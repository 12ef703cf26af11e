"""What the tax advisor's program asks of a file."""

from babel.numbers import NumberFormatError, parse_decimal

_FIELDS = 4
_NUMBERS = {".": "en", ",": "de"}


class Refused(Exception):
    """The file would not be taken."""


def check(text: str, header: bool) -> int:
    """The number of bookings; raises Refused."""
    lines = text.splitlines()[header:]
    for number, line in enumerate(lines, 1 + header):
        delimiter = next((one for one in ";\t," if one in line), ",")
        fields = line.split(delimiter)
        if len(fields) != _FIELDS:
            raise Refused(f"line {number} has {len(fields)} fields")
        mark = "," if delimiter != "," and "," in fields[2] else "."
        try:
            parse_decimal(fields[2], locale=_NUMBERS[mark])
        except NumberFormatError as problem:
            raise Refused(f"line {number}: {problem}") from None
    if not lines:
        raise Refused("nothing is booked")
    return len(lines)
