"""What a till says and what it is told: login, then sales, each of which is to be confirmed."""

from decimal import Decimal
from xml.etree.ElementTree import XMLPullParser

import structlog
from till.answers import confirm, refuse, welcome

log = structlog.get_logger()


class Session:
    def __init__(self, till: str) -> None:
        self._till = till
        self._parser = XMLPullParser(["start", "end"])
        self._depth = 0
        self.answers: list[str] = []
        self.sales = 0
        self.total = Decimal()

    def received(self, data: bytes) -> None:
        """Take what came over the line, be it half a message or three."""
        self._parser.feed(data)
        for event, element in self._parser.read_events():
            if event == "start":
                self._depth += 1
                continue
            self._depth -= 1
            if self._depth == 1:
                self._handle(element)
                element.clear()

    def taken(self) -> list[str]:
        answers, self.answers = self.answers, []
        return answers

    def _handle(self, message) -> None:
        if message.tag == "login":
            self.answers.append(welcome(message.get("till")))
        elif message.tag == "sale":
            amounts = [Decimal(line.get("amount")) for line in message.iter("line")]
            self.sales += 1
            self.total += sum(amounts)
            self.answers.append(confirm(message.get("number"), sum(amounts)))
        else:
            self.answers.append(refuse(message.tag))
