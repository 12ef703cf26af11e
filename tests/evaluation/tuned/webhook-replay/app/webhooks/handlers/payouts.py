from webhooks.handlers import handles


@handles("payout.paid")
def paid(event, ledger):
    ledger.move("bank", "house", event.data["cents"])
