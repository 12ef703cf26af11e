"""Prints the labels of the waiting parcels, or keeps them where there is no printer."""

import os
from pathlib import Path

import printers
import yaml
from jinja2 import Template

LABEL = Template("^XA^FO50,50^A0N,40^FD{{ name }}^FS^FO50,110^FD{{ town }}^FS^XZ")
WAITING = """
- {name: Ada Example, town: Springfield, parcel: 1001}
- {name: Bob Example, town: Shelbyville, parcel: 1002}
"""


def keep(parcel, page):
    spool = Path(os.environ.get("LABEL_SPOOL", "/tmp/labels"))
    spool.mkdir(parents=True, exist_ok=True)
    (spool / f"{parcel}.zpl").write_bytes(page)


def main():
    found = printers.attached()
    for parcel in yaml.safe_load(WAITING):
        page = LABEL.render(parcel).encode()
        if found:
            printers.send(found[parcel["parcel"] % len(found)], page)
        else:
            keep(parcel["parcel"], page)
    print(f"{len(found)} printers attached")


if __name__ == "__main__":
    main()
