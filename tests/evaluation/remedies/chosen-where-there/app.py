try:
    import orjson as json
except ImportError:
    import json

print("orders: " + json.dumps([1, 2]))
