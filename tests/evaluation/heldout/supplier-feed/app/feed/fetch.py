"""Fetches over whatever a supplier has: HTTPS, FTPS, a share that is mounted."""

from io import BytesIO

import pycurl
from tenacity import retry, retry_if_exception, stop_after_attempt, wait_none

_AGAIN = {pycurl.E_COULDNT_CONNECT, pycurl.E_OPERATION_TIMEDOUT, pycurl.E_RECV_ERROR}


class Failed(Exception):
    """Nothing could be fetched; has curl's own number."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(f"curl {number}: {text}")
        self.number = number


@retry(
    stop=stop_after_attempt(3),
    wait=wait_none(),
    retry=retry_if_exception(lambda problem: isinstance(problem, Failed) and problem.number in _AGAIN),
    reraise=True,
)
def fetch(url: str, timeout: int) -> bytes:
    body = BytesIO()
    curl = pycurl.Curl()
    curl.setopt(pycurl.URL, url)
    curl.setopt(pycurl.FOLLOWLOCATION, True)
    curl.setopt(pycurl.FAILONERROR, True)
    curl.setopt(pycurl.TIMEOUT, timeout)
    curl.setopt(pycurl.WRITEDATA, body)
    try:
        curl.perform()
    except pycurl.error as problem:
        raise Failed(*problem.args) from None
    finally:
        curl.close()
    return body.getvalue()
