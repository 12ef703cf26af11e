"""Says what an explanation had to do without, so that a rank is not taken for more than it is."""

from collections.abc import Iterator

from envparity_server.explain.model import Situation


def limits(situation: Situation) -> tuple[str, ...]:
    """What is not known, in sentences; the one that would help most first."""
    return tuple(_limits(situation))


def _limits(situation: Situation) -> Iterator[str]:
    if situation.failure is None:
        yield "no traceback or log of the failure was given"
    sections = [*situation.good.sections.values(), *situation.bad.sections.values()]
    if sections and all(one.kind == "declared" for one in sections):
        told = any(body.get("via") for one in sections for body in one.items.values())
        unknown = "what the code of these packages uses" if told else "who requires whom, and what their code uses,"
        yield f"both sides are lists of versions: {unknown} is not known"
    elif not any(one.kind == "symbols" for one in sections):
        yield "what the code of the packages defines and uses was not looked at"
    if situation.application is None:
        yield "the application's own source was not given"
