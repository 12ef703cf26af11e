"""Warms the limits of all tenants that hold a token, and shows what is left to them."""

from pathlib import Path

from gatekeeper.config import read
from gatekeeper.gate import Gate
from gatekeeper.tokens import tenants


def main() -> None:
    gate = Gate(read())
    for tenant in tenants(Path(__file__).with_name("tokens.txt")):
        for action in ("requests", "exports"):
            gate.hit(tenant, action)
            print(f"{tenant:<8} {action:<8} {gate.left(tenant, action)}")
    print(gate.exposition().splitlines()[-1].partition(" ")[0])


main()
