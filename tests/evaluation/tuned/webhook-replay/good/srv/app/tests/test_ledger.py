from webhooks.ledger import Ledger


def test_a_new_ledger_is_balanced():
    assert Ledger().balanced()
