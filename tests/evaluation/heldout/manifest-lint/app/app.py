"""Looks over the manifests of a cluster before they are applied."""

import sys
from pathlib import Path

import click
from lint.reading import documents
from lint.rules import complaints
from rich.console import Console
from rich.table import Table


@click.command()
@click.option("--directory", type=click.Path(path_type=Path), default=Path(__file__).parent / "manifests")
@click.option("--severity", type=click.Choice(["warning", "error"]), default="error", envvar="LINT_SEVERITY")
def main(directory: Path, severity: str) -> None:
    table = Table("file", "object", "complaint", box=None)
    count = seen = 0
    for file in sorted(directory.rglob("*.yaml")):
        for document in documents(file):
            seen += 1
            for level, text in complaints(document):
                table.add_row(file.name, document["metadata"]["name"], text)
                count += level == severity
    Console(width=100).print(table)
    print(f"{seen} objects, {count} of severity {severity}")
    sys.exit(1 if count else 0)


if __name__ == "__main__":
    main()
