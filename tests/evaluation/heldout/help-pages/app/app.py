"""Builds the pages of the help centre, and tells which links lead nowhere."""

import os
import sys
from pathlib import Path

import yaml
from helpsite.links import dangling
from helpsite.pages import load

ROOT = Path(os.environ.get("ROOT", "/"))
HERE = Path(__file__).parent


def main() -> int:
    settings = yaml.safe_load((ROOT / "etc/help/site.yaml").read_text())
    pages = load(HERE / "pages", settings, drafts="HELP_DRAFTS" in os.environ)
    for page in pages:
        print(f"{os.environ['HELP_BASE']}/{page.slug}  {page.title} ({len(page.html)} bytes)")
    broken = dangling(pages)
    for slug, target in broken:
        print(f"{slug}: no page {target}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
