"""The products, as another service has them; those of the sample until it is reached."""

from collections.abc import Sequence

from pydantic import BaseModel

from storefront.settings import Remote

_SAMPLE = 130


class Product(BaseModel):
    sku: str
    cents: int


class Catalog:
    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    @property
    def patience(self) -> float:
        """Seconds until a request is given up."""
        return sum(self._remote.delays)

    async def page(self, number: int, size: int) -> Sequence[Product]:
        first = (number - 1) * size
        return [Product(sku=f"A-{one:04}", cents=100 + one) for one in range(first, min(first + size, _SAMPLE))]
