"""Answers the tills of a shop, which keep one XML stream open all day; here from a capture of the line."""

import logging
import os
import sys
from pathlib import Path

import msgpack
from till.protocol import Session

log = logging.getLogger("till")
HERE = Path(__file__).parent


def main() -> int:
    logging.basicConfig(level=os.environ.get("LOG_LEVEL", "INFO"), format="%(levelname)s %(name)s %(message)s")
    silent = 0
    for capture in sorted((HERE / "captures").glob("*.msgpack")):
        session = Session(capture.stem)
        for packet in msgpack.unpackb(capture.read_bytes()):
            session.received(packet["data"])
            if packet["waits"] and not session.answers:
                log.error("%s: till waited %ss for an answer and hung up", capture.stem, packet["waits"])
                silent += 1
                break
            for answer in session.taken():
                log.debug("%s <- %s", capture.stem, answer)
        else:
            log.info("%s: %d sales, %s EUR", capture.stem, session.sales, session.total)
    return 1 if silent else 0


if __name__ == "__main__":
    sys.exit(main())
