"""What people are written: kindly at first."""

from jinja2 import Template

_TONE = {0: "Perhaps you forgot", 1: "Please pay", 2: "For the last time"}
_LETTER = Template("{{ tone }}: invoice {{ one.number }} for {{ one.name }}, {{ '%.2f' % ((one.cents + fee) / 100) }}")


def write(invoice, fee: int) -> str:
    return _LETTER.render(one=invoice, fee=fee * invoice.reminded, tone=_TONE[invoice.reminded])
