"""The API of the supplier; its sandbox is a day that was recorded."""

import json
from pathlib import Path

import httpx
from pydantic import BaseModel, parse_obj_as
from tenacity import RetryError, retry, retry_if_result, stop_after_attempt, wait_none

RECORDED = Path(__file__).with_name("recorded.json")


class SupplierDown(Exception):
    """The supplier does not answer."""


class Offer(BaseModel):
    article: str
    price: float
    pack: int = 1

    @property
    def each(self) -> float:
        return self.price / self.pack


def sandbox(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=json.loads(RECORDED.read_text()))


class Supplier:
    def __init__(self, url: str, token: str, timeout: float) -> None:
        transport = httpx.MockTransport(sandbox) if url == "sandbox:" else None
        base = "https://sandbox.supplier.example" if url == "sandbox:" else url
        headers = {"Authorization": f"Bearer {token}"}
        self._client = httpx.Client(base_url=base, headers=headers, timeout=timeout, transport=transport)

    def offers(self) -> list[Offer]:
        try:
            return parse_obj_as(list[Offer], self._get("/v2/offers").json()["offers"])
        except (RetryError, httpx.HTTPError) as problem:
            raise SupplierDown(str(problem)) from problem

    @retry(retry=retry_if_result(lambda answer: answer.status_code == 503), stop=stop_after_attempt(4), wait=wait_none())
    def _get(self, path: str) -> httpx.Response:
        return self._client.get(path)
