import requests

session = requests.Session()
print(sorted(session.adapters))
