from webhooks.handlers import handles


@handles("charge.succeeded", "charge.captured")
def charged(event, ledger):
    ledger.move("customers", "bank", event.data["cents"])


@handles("charge.failed")
def failed(event, ledger):
    """Nothing moved."""
