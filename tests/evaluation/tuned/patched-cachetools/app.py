from cachetools import TTLCache, cached
from tenacity import retry, stop_after_attempt


@cached(TTLCache(maxsize=100, ttl=60))
@retry(stop=stop_after_attempt(2))
def price(article, country="de"):
    return {"tea": 420, "cup": 1250}[article]


print(price("tea", country="at"))
