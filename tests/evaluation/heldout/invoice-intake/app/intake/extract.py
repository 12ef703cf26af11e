"""Prints what an invoice says, as JSON: `python -m intake.extract FILE`."""

import json
import sys
from pathlib import Path

import xmltodict
from dateutil.parser import isoparse

NAMES = {
    "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2": None,
    "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2": None,
    "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2": None,
}


def extract(text: bytes):
    invoice = xmltodict.parse(text, process_namespaces=True, namespaces=NAMES, force_list=("InvoiceLine",))["Invoice"]
    amounts = [line["LineExtensionAmount"] for line in invoice["InvoiceLine"]]
    return {
        "number": invoice["ID"],
        "supplier": invoice["AccountingSupplierParty"]["Party"]["PartyName"]["Name"],
        "day": isoparse(invoice["IssueDate"]).date().isoformat(),
        "currency": amounts[0]["@currencyID"],
        "net": str(sum(round(float(one["#text"]) * 100) for one in amounts) / 100),
    }


if __name__ == "__main__":
    print(json.dumps(extract(Path(sys.argv[1]).read_bytes())))
