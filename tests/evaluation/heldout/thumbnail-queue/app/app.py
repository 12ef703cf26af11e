"""Runs what waits in the queue of thumbnails once, then ends: started by cron."""

import logging
import os
import sys
from pathlib import Path

from kombu import Connection
from thumbnails.config import Config
from thumbnails.jobs import Job
from thumbnails.queue import publish
from thumbnails.worker import Worker

WAITING = (Job("chair-oak", (1600, 1200)), Job("table-ash", (2400, 1350)), Job("lamp", (900, 1200)))


def main() -> int:
    config = Config.read(Path(os.environ.get("ROOT", "/")) / "etc/thumbnails/worker.ini")
    logging.basicConfig(level=config.log_level, format="%(levelname)s %(message)s")
    with Connection(config.broker) as connection:
        publish(connection, WAITING)  # of the shop; the broker of one host is in memory
        worker = Worker(connection, config)
        worker.drain()
    for name, size in sorted(worker.made.items()):
        print(f"{name}: {size[0]}x{size[1]}")
    return 0 if len(worker.made) == len(WAITING) else 1


if __name__ == "__main__":
    sys.exit(main())
