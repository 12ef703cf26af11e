from decouple import config

GATEWAY = config("PAYMENT_GATEWAY_URL")
TIMEOUT = config("PAYMENT_TIMEOUT", default=5, cast=int)
WORKERS = config("WORKERS", default=2, cast=int)
