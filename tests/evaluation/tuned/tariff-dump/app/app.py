"""Prints the dump of the tariffs that are valid from the next quarter on."""

import os
import sys
from datetime import date

from tariffs.table import overlapping, read

TABLE = """north,2024-07-01,0.3120
south,2024-07-01,0.2990,Mayor's discount
south,2024-10-01,0.3050
"""


def main() -> int:
    tariffs = read(TABLE)
    if twice := overlapping(tariffs):
        print("two tariffs for", ", ".join(twice), file=sys.stderr)
        return 2
    since = date.fromisoformat(os.environ.get("TARIFFS_SINCE", "2024-07-01"))
    from tariffs.dump import header, statements

    print(header(os.environ["BILLING_DSN"]))
    for statement in statements([one for one in tariffs if one.since >= since]):
        print(statement)
    return 0


if __name__ == "__main__":
    sys.exit(main())
