from webhooks.handlers import handles


@handles("charge.refunded", "charge.disputed")
def given_back(event, ledger):
    ledger.move("bank", "customers", event.data["cents"])
    if fee := event.data.get("fee"):
        ledger.move("house", "bank", fee)
