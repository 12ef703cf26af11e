import os
import tomllib

import requests

ROOT = os.environ["ROOT"]
with open(os.path.join(ROOT, "etc/shop/stock.toml"), "rb") as file:
    settings = tomllib.load(file)
try:
    requests.get(settings["url"], verify=os.path.join(ROOT, "etc/shop/tls/internal-ca.pem"), timeout=settings["timeout"])
except requests.ConnectionError:
    print("asked")
