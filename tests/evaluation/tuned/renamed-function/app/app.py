from shop.report import render

print(render([("a-1", 3), ("a-2", 0)]))
