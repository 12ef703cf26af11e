"""What people may say to the bot."""

from datetime import datetime

import humanize
from bot.storage import Reminders
from bot.times import moment


def answer(text, person, reminders: Reminders, languages, now: datetime) -> str:
    command, _, rest = text.partition(" ")
    if command == "/remind":
        return remind(rest, person, reminders, languages, now)
    if command == "/list":
        mine = reminders.of(person)
        return "; ".join(f"{due:%a %H:%M} {what}" for due, what in mine) or "nothing"
    return f"I do not know {command}"


def remind(rest, person, reminders, languages, now):
    when, _, what = rest.partition(" | ")
    due = moment(when, languages, now)
    if due is None:
        return f"when is “{when}”?"
    reminders.add(person, due, what)
    return f"{what}: {humanize.naturaltime(due, when=now)}"
