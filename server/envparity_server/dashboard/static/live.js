// What the server tells while a page is open.
