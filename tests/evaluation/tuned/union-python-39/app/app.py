from orders import Order, total

print(total([Order("a-1", 3), Order("a-2", None)]))
