import aioredis

print(aioredis.from_url("redis://127.0.0.1:6379/0").connection_pool.connection_kwargs["db"])
