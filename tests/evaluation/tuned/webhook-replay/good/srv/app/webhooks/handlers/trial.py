from webhooks.handlers import handles


@handles("subscription.trial_will_end")
def ending(event, ledger):
    """To be done with the new plans."""
