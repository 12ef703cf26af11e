from client import session

print(sorted(session().adapters))
