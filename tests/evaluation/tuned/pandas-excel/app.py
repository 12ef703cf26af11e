import io

import pandas as pd

frame = pd.DataFrame({"sku": ["a-1"], "count": [3]})
book = io.BytesIO()
frame.to_excel(book, index=False)
print(pd.read_excel(io.BytesIO(book.getvalue())))
