import humanize

for name, count in (("Ann", 1200), ("Jos\u00e9", 3)):
    print(name, humanize.intcomma(count))
