CREATE INDEX invoices_issued ON invoices (issued) WHERE paid = 0;
CREATE INDEX customers_name ON customers (name);
