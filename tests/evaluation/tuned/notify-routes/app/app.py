"""Sends the notifications of the night: one run from the timer."""

import configparser
import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from channels import Channel, Priority
from jinja2 import Environment, FileSystemLoader
from routing import Router

log = logging.getLogger("notify")


@dataclass(frozen=True)
class Message:
    to: str
    channel: Channel
    priority: Priority
    body: str


def read_config() -> configparser.ConfigParser:
    config = configparser.ConfigParser()
    path = os.environ.get("ROOT", "") + os.environ["NOTIFY_CONFIG"]
    if not config.read(path):
        sys.exit(f"no configuration: {path}")
    return config


def compose(config: configparser.ConfigParser) -> list[Message]:
    templates = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"))
    shop = config["shop"]["name"]
    orders = [
        ("ada@example.org", "email", "low", "A-1001"),
        ("+15550100", "sms", "high", "A-1002"),
        ("device-77", "push", "low", "A-1003"),
        ("bob@example.org", "email", "high", "A-1004"),
    ]
    messages = []
    for to, channel, priority, order in orders:
        body = templates.get_template("shipped.txt").render(shop=shop, order=order)
        messages.append(Message(to, Channel(channel), Priority(priority), body))
    return messages


def main() -> None:
    logging.basicConfig(level=os.environ.get("LOG_LEVEL", "INFO"))
    config = read_config()
    router = Router(config)
    messages = compose(config)
    delivered = sum(router.send(message) for message in messages)
    log.info("load of the workers: %s", router.load())
    if router.dropped > int(config["limits"]["dropped"]):
        sys.exit(f"{delivered} of {len(messages)} notifications delivered, giving up")
    print(f"{delivered} of {len(messages)} notifications delivered")


if __name__ == "__main__":
    main()
