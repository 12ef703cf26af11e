import requests

from stock import left

try:
    print(requests.post("http://127.0.0.1:9/stock", json={"tea": left("tea")}, timeout=2).status_code)
except requests.ConnectionError:
    print("asked")
