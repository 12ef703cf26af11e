"""Fills the templates."""

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from proxies.sites import Site

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def written(site: Site, headers: Mapping[str, str]) -> str:
    return _TEMPLATES.get_template("site.conf").render(site=site, headers=headers)
