"""What a message is sent by, and how urgent it is."""

from enum import Enum


class Channel(str, Enum):
    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"


class Priority(str, Enum):
    LOW = "low"
    HIGH = "high"


def topic(channel: Channel, priority: Priority) -> str:
    """The name of the queue that takes such messages."""
    return f"{channel}.{priority}"
