"""Plays a transcript to the bot: what it would answer in the channel."""

import os
import sys
from datetime import datetime
from pathlib import Path

import structlog
from bot.commands import answer
from bot.storage import Reminders

NOW = datetime(2024, 5, 2, 9, 30)
log = structlog.get_logger()


def main() -> int:
    reminders = Reminders("sqlite://")
    languages = os.environ["BOT_LANGUAGES"].split(",")
    for line in (Path(__file__).parent / "transcript.txt").read_text().splitlines():
        person, _, text = line.partition(": ")
        if not text.startswith("/"):
            continue
        print(f"{os.environ['BOT_NAME']} -> {person}: {answer(text, person, reminders, languages, NOW)}")
    log.info("played", reminders=len(reminders))
    return 0 if len(reminders) == 3 else 1


if __name__ == "__main__":
    sys.exit(main())
