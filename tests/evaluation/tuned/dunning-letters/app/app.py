"""Reminds of the invoices that nobody paid."""

import logging
import os
from datetime import date

from dunning.letters import write
from dunning.queries import Invoices
from dunning.schema import build
from sqlalchemy import create_engine

logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.INFO)
log = logging.getLogger("dunning")


def main() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        version = build(connection)
        log.info("the schema is at %s", version)
        invoices = Invoices(connection)
        invoices.fill_sample()
        late = invoices.late(date(2024, 6, 30), grace=int(os.environ["DUNNING_GRACE"]))
        for invoice in late:
            print(write(invoice, fee=int(os.environ["DUNNING_FEE"])))
        invoices.remind(late, date(2024, 6, 30))
        log.info("%d letters", len(late))


main()
