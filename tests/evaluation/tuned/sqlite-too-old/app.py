import sqlite3

from humanize import intcomma

connection = sqlite3.connect(":memory:")
connection.execute("create table orders (sku text, count integer)")
rows = connection.execute("insert into orders values (?, ?), (?, ?) returning count", ("a-1", 3, "a-2", 1200))
print([intcomma(count) for (count,) in rows])
