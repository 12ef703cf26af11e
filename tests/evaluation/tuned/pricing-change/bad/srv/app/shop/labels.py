"""What is printed on a parcel."""


def label(name, street):
    return f"{name}\n{street}"
