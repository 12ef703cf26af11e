"""Changes this agent's credential; interrupted at any step, the old or the new one works, and the next run goes on.

1. The new credential is durable here before the server hears of it.
2. The server is told it under the old one; from then on it takes both.
3. The server is asked with the new one, which makes it the only one there.
4. The old one is forgotten here.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from envparity_agent import state
from envparity_agent.client import Client, NotKnown
from envparity_agent.state import Enrolment


def rotate(directory: Path, enrolment: Enrolment, connect: Callable[[str, str], Client] = Client) -> Enrolment:
    """Take a new credential into use, or the one that an interrupted change left; returns the enrolment with it.

    Raises CannotTell where the server could not be asked: then nothing is lost, and it may be done again.
    """
    enrolment = enrolment.changing()
    state.save(directory, enrolment)
    with suppress(NotKnown), connect(enrolment.server, enrolment.credential) as client:
        client.change_credential(enrolment)  # not known: an earlier run came as far as using the new one
    with connect(enrolment.server, enrolment.next_credential) as client:
        client.change_credential(enrolment)
    enrolment = replace(enrolment, credential=enrolment.next_credential, next_credential="")
    state.save(directory, enrolment)
    return enrolment
