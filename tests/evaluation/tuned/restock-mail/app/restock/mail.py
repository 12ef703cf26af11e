"""The mail, and where it goes."""

from email.message import EmailMessage
from pathlib import Path

import dns.name
import jinja2

from restock.settings import Settings
from restock.stock import Article

_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parents[1] / "templates"), trim_blocks=True
)


def letter(low: list[Article], settings: Settings) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = f"{settings.subject} ({settings.profile})"
    message["From"] = settings.sender
    message["To"] = settings.recipients
    message.set_content(_TEMPLATES.get_template("restock.txt").render(low=low, warehouse=settings.warehouse))
    return message


class Outbox:
    """Keeps mails until the relay takes them, which is asked by another timer."""

    def __init__(self, settings: Settings) -> None:
        self.relay = dns.name.from_text(settings.host)
        self.login = (settings.user, settings.password)
        self.sent: list[EmailMessage] = []

    def send(self, message: EmailMessage) -> None:
        self.sent.append(message)
