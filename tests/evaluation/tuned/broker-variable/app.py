from decouple import config

broker = config("BROKER_URL")
workers = config("WORKERS", default=1, cast=int)
print(broker.partition("://")[0], workers)
