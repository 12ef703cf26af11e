DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


def working(day):
    return day not in ("Sa", "Su")
