"""The queue between the shop and its workers."""

from collections.abc import Iterable

from kombu import Connection, Exchange, Queue
from thumbnails.jobs import Job

EXCHANGE = Exchange("media", type="direct")
QUEUE = Queue("thumbnails", EXCHANGE, routing_key="thumbnails")


def publish(connection: Connection, jobs: Iterable[Job]) -> None:
    with connection.Producer(serializer="pickle") as producer:
        for job in jobs:
            producer.publish(job, exchange=EXCHANGE, routing_key="thumbnails", declare=[QUEUE])
