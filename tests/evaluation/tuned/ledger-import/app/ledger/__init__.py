"""The ledger: bookings are read from statements of the bank and written to the database."""
