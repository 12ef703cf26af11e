"""Writes the receipts of the day, signed, and reads each once more before it is sent."""

import os
import sys

from jinja2 import Template
from signing import genuine, key, sign

PAGE = Template("{{ shop }}: {{ number }} over {{ '%.2f' | format(total) }} EUR\nsignature {{ signature[:16] }}...")
RECEIPTS = (
    {"number": "R-100", "total": 19.9, "lines": ["a-1", "b-7"]},
    {"number": "R-101", "total": 240.0, "lines": ["c-3"]},
)


def main() -> int:
    public = key().verify_key
    for receipt in RECEIPTS:
        signature = sign(receipt)
        if not genuine(receipt, signature, public) or genuine({**receipt, "total": 0}, signature, public):
            return 1
        print(PAGE.render(receipt, shop=os.environ.get("SHOP_NAME", "Corner Shop"), signature=signature))
    return 0


if __name__ == "__main__":
    sys.exit(main())
