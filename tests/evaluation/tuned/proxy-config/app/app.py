"""Writes the configuration of the proxies from one file with all sites."""

import os
from pathlib import Path

import click
import yaml
from proxies.check import CheckFailed, check
from proxies.sites import sites
from proxies.writing import written

ETC = Path(os.environ.get("ROOT", "/")) / "etc/proxies"


@click.command()
@click.option("--dry-run/--no-dry-run", envvar="PROXIES_DRY_RUN", help="Write nothing.")
@click.option("--reload", envvar="PROXIES_RELOAD", default="true", help="Run afterwards.")
def main(dry_run: bool, reload: str) -> None:
    """Write the configuration of the proxies."""
    known = yaml.safe_load((ETC / "sites.yaml").read_text())
    for site in sites(known):
        text = written(site, known["headers"])
        try:
            directives = check(text)
        except CheckFailed as problem:
            raise click.ClickException(f"{site.host}: {problem}; nothing was reloaded") from None
        click.echo(f"{site.host}: {directives} directives")
        if not dry_run:
            (ETC / f"{site.host}.conf").write_text(text)
    click.echo(f"then: {reload}")


main()
