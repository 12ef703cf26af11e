"""Says what would get us into trouble, were a letter sent."""

from collections.abc import Iterator
from email.message import EmailMessage

NOTICES = {"en": "right of withdrawal", "de": "Widerrufsrecht", "fr": "droit de rétractation"}


def complaints(message: EmailMessage, booking: dict) -> list[str]:
    return list(_complaints(message.get_content(), booking))


def _complaints(text: str, booking: dict) -> Iterator[str]:
    if NOTICES[booking["language"]] not in text:
        yield "no notice on withdrawal"
    if booking["guest"] not in text:
        yield "guest is not named"
    if "{{" in text or "None" in text:
        yield "something was not filled in"
