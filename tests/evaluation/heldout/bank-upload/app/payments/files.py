"""Payment files in pain.001."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from defusedxml.ElementTree import parse

NAMES = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}


@dataclass(frozen=True)
class PaymentFile:
    name: str
    count: int
    total: Decimal


def outgoing(directory: Path) -> Iterator[PaymentFile]:
    for file in sorted(directory.glob("*.xml")):
        amounts = [Decimal(one.text) for one in parse(file).iterfind(".//p:InstdAmt", NAMES)]
        yield PaymentFile(file.name, len(amounts), sum(amounts, Decimal()))
