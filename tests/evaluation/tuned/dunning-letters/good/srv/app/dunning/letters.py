"""What people are written."""

from jinja2 import Template

_LETTER = Template(
    "{{ one.name }}, {{ one.street }}: invoice {{ one.number }}, {{ '%.2f' % ((one.cents + fee) / 100) }}"
)


def write(invoice, fee: int) -> str:
    return _LETTER.render(one=invoice, fee=fee * invoice.reminded)
