"""Books the offers of the coming winter and prints the plan."""

import json
import os
import sys
from pathlib import Path

from booking import Book, Offer, Refused
from tabulate import tabulate


def main() -> int:
    book = Book()
    refused = []
    for line in (Path(__file__).parent / "offers.jsonl").read_text().splitlines():
        offer = Offer(**json.loads(line))
        try:
            book.take(offer)
        except Refused as problem:
            refused.append(str(problem))
    print(tabulate(book.slots, headers=["depot", "slot"]))
    for reason in refused:
        print("refused:", reason, file=sys.stderr)
    return 1 if len(refused) > int(os.environ.get("REFUSED_AT_MOST", "0")) else 0


if __name__ == "__main__":
    sys.exit(main())
