from shop.cart import Cart

cart = Cart()
cart.add("tea", 420, count=2)
cart.add("cup", 1250)
print(cart.total())
