CREATE TABLE invoices (
    number INTEGER PRIMARY KEY,
    customer INTEGER NOT NULL REFERENCES customers (id),
    cents INTEGER NOT NULL,
    issued TEXT NOT NULL,
    paid INTEGER NOT NULL DEFAULT 0
);
