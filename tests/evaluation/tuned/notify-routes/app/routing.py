"""Which queues exist, and who works on them."""

import configparser
from collections import defaultdict

from channels import topic


class Router:
    def __init__(self, config: configparser.ConfigParser) -> None:
        self._workers = {name: one.strip() for name, one in config["routes"].items()}
        self._sent = defaultdict(list)
        self.dropped = 0

    def send(self, message) -> bool:
        """Hand a message to the worker of its queue; a message without a queue is counted and dropped."""
        worker = self._workers.get(topic(message.channel, message.priority))
        if worker is None:
            self.dropped += 1
            return False
        self._sent[worker].append(message)
        return True

    def load(self):
        return {worker: len(messages) for worker, messages in sorted(self._sent.items())}
