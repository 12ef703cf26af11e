-- how often somebody was asked for the money, and when at last
ALTER TABLE invoices ADD COLUMN reminded INTEGER NOT NULL DEFAULT 0;
ALTER TABLE invoices ADD COLUMN reminded_on TEXT;
