"""Puts the pictures of a product into the store, and looks how a browser will get them."""

import sys

from assets import asset
from jinja2 import Template

FILES = ("chairs/oak-front.webp", "chairs/oak-side.jpg", "chairs/oak.pdf")
PAGE = Template(
    "{% for one in assets %}{% if 'inline' in one.headers['Content-Disposition'] %}"
    '<a href="/media/{{ one.path }}">{{ one.path.stem }}</a>{% endif %}{% endfor %}'
)


def store():
    return {one.path.name: one for one in map(asset, FILES)}


def main() -> int:
    stored = store()
    page = PAGE.render(assets=stored.values())
    shown = page.count("<a href=")
    assert shown == len(FILES), f"product page shows {shown} of {len(FILES)} files"
    print(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
