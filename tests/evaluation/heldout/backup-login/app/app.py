"""Says, before the window opens, how each database will be dumped; fails if it cannot be logged in to."""

import os
import sys
from pathlib import Path

import click
import structlog
from backup.access import Access
from backup.inventory import databases
from backup.plan import Plan

ROOT = Path(os.environ.get("ROOT", "/"))
log = structlog.get_logger()


@click.command()
@click.option("--inventory", default="etc/backup/databases.yaml", help="which databases, below the root")
@click.option("--compress", default=5, envvar="BACKUP_COMPRESS", help="as pg_dump has it")
def main(inventory: str, compress: int) -> None:
    access = Access()
    plan = Plan(compress)
    for database in databases(ROOT / inventory):
        plan.add(database, access.password(database))
        log.info("planned", database=database.name, host=database.host)
    click.echo(plan.table())
    sys.exit(0 if plan.complete else 1)


if __name__ == "__main__":
    main()
