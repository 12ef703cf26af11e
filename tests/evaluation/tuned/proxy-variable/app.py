import requests

try:
    print(requests.get("http://127.0.0.1:9/health", timeout=2).status_code)
except requests.ConnectionError:
    print("asked")
