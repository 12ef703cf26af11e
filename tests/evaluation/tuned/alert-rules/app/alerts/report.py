"""The page that the people on call see."""

from collections.abc import Iterable

from humanize import naturaldelta
from jinja2 import Template

_PAGE = Template(
    "looked every {{ every }}\n{% for host, rule in fired %}{{ host }}: {{ rule }}\n{% else %}all well\n{% endfor %}"
)


def page(fired: Iterable[tuple[str, str]], every: int) -> str:
    return _PAGE.render(fired=list(fired), every=naturaldelta(every))
