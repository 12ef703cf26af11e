"""Carries the accounts of the staff over to the file server."""

import logging
import sys

import yaml
from accounts import Account, BadAccount

STAFF = """
- {name: ada, number: 1001, secret: correct horse}
- {name: bob.example, number: 1002, secret: battery staple}
- {name: Carol, number: 1003, secret: x}
"""
log = logging.getLogger("sync")


def lines():
    for entry in yaml.safe_load(STAFF):
        account = Account(**entry)
        try:
            account.check()
            yield account.line()
        except BadAccount as problem:
            log.warning("left out: %s", problem)
        except ValueError as problem:
            log.error("%s cannot be carried over (%s)", account.name, problem)


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    written = list(lines())
    if len(written) < 2:
        log.critical("%d accounts, that cannot be all: file server left as it is", len(written))
        return 1
    print("\n".join(written))
    return 0


if __name__ == "__main__":
    sys.exit(main())
