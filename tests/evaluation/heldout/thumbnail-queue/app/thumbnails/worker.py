"""Makes thumbnails until the queue is empty."""

import io
import logging
import socket

from kombu import Connection, Message
from PIL import Image
from thumbnails.config import Config
from thumbnails.jobs import Job
from thumbnails.queue import QUEUE

log = logging.getLogger(__name__)


class Worker:
    def __init__(self, connection: Connection, config: Config) -> None:
        self._connection = connection
        self._config = config
        self.made: dict[str, tuple[int, int]] = {}

    def drain(self) -> None:
        with self._connection.Consumer(QUEUE, callbacks=[self._work], accept=self._config.accept) as consumer:
            consumer.qos(prefetch_count=self._config.prefetch)
            while True:
                try:
                    self._connection.drain_events(timeout=0.2)
                except socket.timeout:
                    return

    def _work(self, job: Job, message: Message) -> None:
        picture = Image.new("RGB", job.size, "white")  # the shop's store answers with a blank in rehearsals
        thumbnail = picture.resize(job.scaled(self._config.longest_side))
        written = io.BytesIO()
        thumbnail.save(written, "WEBP", quality=self._config.quality)
        log.info("%s: %d bytes", job.product, written.tell())
        self.made[job.product] = thumbnail.size
        message.ack()
