"""Sends payment files to the bank, as long as it is the bank that answers."""

import logging
import os
import sys
from pathlib import Path

from payments.files import outgoing
from payments.hosts import fingerprint, known_keys

ROOT = os.environ.get("ROOT", "")
KNOWN = Path(f"{ROOT}/run/bank/known_hosts")
log = logging.getLogger("payments.upload")


def main() -> int:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", datefmt="%H:%M", level="INFO")
    host, port = os.environ["BANK_HOST"], int(os.environ["BANK_PORT"])
    waiting = list(outgoing(Path(__file__).parent / "outgoing"))
    keys = known_keys(KNOWN, host, port)
    if not keys:
        log.error("host key of %s:%d is unknown, %d files stay where they are", host, port, len(waiting))
        return 1
    for key in keys:
        log.info("%s shows %s", host, fingerprint(key))
    for file in waiting:
        log.info("%s: %d payments over %s EUR", file.name, file.count, file.total)
    return 0


if __name__ == "__main__":
    sys.exit(main())
