import requests

try:
    requests.get("https://127.0.0.1:9/orders", timeout=1)
except requests.ConnectionError:
    print("the server is down: tried again later")
