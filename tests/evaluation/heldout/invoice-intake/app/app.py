"""Takes in the invoices of suppliers: each is read by a process of its own, because of what suppliers send."""

import json
import os
import subprocess
import sys
from pathlib import Path

from intake.book import Book
from intake.settings import settings

HERE = Path(__file__).parent
ROOT = Path(os.environ.get("ROOT", "/"))


def read(invoice: Path, seconds: int):
    command = [sys.executable, "-m", "intake.extract", str(invoice)]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=seconds, check=True)
    return json.loads(done.stdout)


def main() -> None:
    chosen = settings(ROOT / "etc/intake/intake.toml")
    book = Book(chosen["accounts"])
    for invoice in sorted((HERE / "inbox").glob("*.xml")):
        book.enter(read(invoice, chosen["limits"]["seconds"]))
    print(book.table())


if __name__ == "__main__":
    main()
