"""Price lists, as number -> price."""

from decimal import Decimal

import orjson
from lxml import etree


def articles(body: bytes, form: str) -> dict[str, Decimal]:
    if form == "json":
        return {one["number"]: Decimal(one["price"]) for one in orjson.loads(body)}
    if form == "xml":
        return {one.get("number"): Decimal(one.get("price")) for one in etree.fromstring(body).iter("article")}
    raise ValueError(f"no such format: {form}")
