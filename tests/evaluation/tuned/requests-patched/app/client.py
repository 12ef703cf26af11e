import requests


def session() -> requests.Session:
    made = requests.Session()
    made.headers["User-Agent"] = "shop"
    return made
