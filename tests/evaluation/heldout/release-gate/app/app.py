"""Says whether a release may go out on a day: 0 yes, 1 no; asked by the pipeline before it deploys."""

import os
import sys
from datetime import date
from pathlib import Path

import typer
from gate.calendar import Calendar
from gate.rules import reasons

ROOT = Path(os.environ.get("ROOT", "/"))
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def ask(
    service: str = typer.Option(envvar="RELEASE_SERVICE"),
    day: str = typer.Option(envvar="RELEASE_DAY"),
) -> None:
    """Ask for one service."""
    calendar = Calendar.read(ROOT / "etc/release-gate")
    against = list(reasons(calendar, service, date.fromisoformat(day)))
    for one in against:
        typer.echo(f"no: {one}")
    if not against:
        typer.echo(f"{service} may go out on {day}")
    sys.exit(1 if against else 0)


if __name__ == "__main__":
    app()
