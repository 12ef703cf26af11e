"""Hands digests to the mail provider; addresses in .test go to its sandbox, which is answered here."""

import logging

import httpx
from digest.compose import Digest
from digest.settings import Settings
from tenacity import retry, retry_if_exception_type, stop_after_attempt

log = logging.getLogger(__name__)


def sandbox(request: httpx.Request) -> httpx.Response:
    return httpx.Response(202, json={"accepted": True, "size": len(request.content)})


class Delivery:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = httpx.Client(base_url="https://api.mail.example/v1", transport=httpx.MockTransport(sandbox))

    def send(self, digest: Digest) -> bool:
        if self._settings.dry_run:
            log.info("dry run: %s is not sent to %s", digest.subject, digest.to)
            return False
        return self._post(digest)

    @retry(retry=retry_if_exception_type(httpx.TransportError), stop=stop_after_attempt(3))
    def _post(self, digest: Digest) -> bool:
        message = {"from": self._settings.sender, "to": digest.to, "subject": digest.subject, "html": digest.html}
        answer = self._client.post("/messages", json=message)
        if answer.is_error:
            log.warning("%s: %s", digest.to, answer.status_code)
        return answer.status_code == httpx.codes.ACCEPTED
