"""Tells where people reach the server, and whether another site made a browser send a request with its cookie."""

from urllib.parse import urlsplit

from starlette.requests import Request

from envparity_server.settings import ServerSettings

_HARMLESS = ("GET", "HEAD", "OPTIONS")  # they change nothing
_OWN = ("same-origin", "none")  # none: typed, or from a bookmark


def is_forged(request: Request) -> bool:
    """Whether a request that would change something comes from a page of another origin.

    What is no browser sends neither header, and is let through: it has no cookie that it did not mean to send.
    https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
    """
    if request.method in _HARMLESS:
        return False
    if request.headers.get("sec-fetch-site", "none") not in _OWN:
        return True
    origin = request.headers.get("origin")
    # the scheme is left out: behind a proxy with TLS it is the proxy's, and a host's other port is another place
    return origin is not None and urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower()


def address_of(request: Request) -> str:
    """Where people reach the server: as it is configured, else as the asker does."""
    settings: ServerSettings = request.app.state.settings
    return (settings.public_url or str(request.base_url)).rstrip("/")
