from rates import load

print(load("EUR"))
