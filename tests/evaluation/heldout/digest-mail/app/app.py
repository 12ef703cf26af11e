"""Sends each reader the stories of the day; run by a timer, which tells when it failed."""

import logging
import sys

from digest.compose import digests
from digest.delivery import Delivery
from digest.settings import Settings


def main() -> int:
    settings = Settings.from_environment()
    logging.basicConfig(level=settings.log_level, format="%(levelname)s %(name)s: %(message)s")
    delivery = Delivery(settings)
    written = list(digests(settings))
    accepted = sum(delivery.send(one) for one in written)
    log = logging.getLogger("digest")
    if accepted < len(written):
        log.error("%d of %d digests were accepted", accepted, len(written))
        return 1
    log.info("%d digests sent", accepted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
