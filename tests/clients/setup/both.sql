-- Run on both servers before a comparison, and before a recording. Only what both understand.

CREATE SCHEMA crm;
COMMENT ON SCHEMA crm IS 'Contacts and what was agreed';

CREATE TABLE customers (
    customer_id bigint PRIMARY KEY,
    name        text NOT NULL,
    email       varchar(120) UNIQUE,
    country     char(2) DEFAULT 'CN',
    segment     varchar(20) CONSTRAINT customers_segment CHECK (segment IN ('gold', 'silver', 'bronze')),
    score       double precision,
    active      boolean NOT NULL DEFAULT true,
    born_on     date,
    created_at  timestamptz NOT NULL
);
COMMENT ON TABLE customers IS 'One row a customer';
COMMENT ON COLUMN customers.email IS 'Address as written, it''s unique';

CREATE TABLE orders (
    order_id    bigint NOT NULL,
    line        smallint NOT NULL,
    customer_id bigint,
    product     text,
    category    text,
    quantity    integer NOT NULL DEFAULT 1,
    amount      numeric(18,2),
    discount    real,
    ordered_at  timestamptz,
    shipped_at  timestamp,
    tags        text[],
    attributes  json,
    tracking    uuid,
    receipt     bytea,
    CONSTRAINT orders_pkey PRIMARY KEY (order_id, line),
    CONSTRAINT orders_amount CHECK (amount >= 0)
);
COMMENT ON TABLE orders IS 'One row a line of an order';
COMMENT ON COLUMN orders.amount IS 'What the customer paid';

CREATE TABLE crm.notes (
    note_id     integer PRIMARY KEY,
    customer_id bigint NOT NULL,
    "Written By" text,
    body        text
);
COMMENT ON TABLE crm.notes IS '备注';

INSERT INTO customers VALUES
    (1, '李雷', 'li@example.cn', 'CN', 'gold', 9.5, true, '1990-02-28', '2026-01-03 08:00:00+00'),
    (2, 'O''Brien', 'ob@example.ie', 'IE', 'silver', 7, true, NULL, '2026-01-15 12:30:00+00'),
    (3, '韩梅梅', NULL, 'CN', 'bronze', NULL, false, '1985-12-01', '2026-02-01 00:00:00+00'),
    (4, 'Zoë', 'zoe@example.fr', 'FR', NULL, 3.25, true, '2001-06-15', '2026-03-31 23:59:59+00');

INSERT INTO orders VALUES
    (100, 1, 1, 'kettle', 'kitchen', 1, 199.90, 0.5, '2026-01-05 10:00:00+00', '2026-01-06 09:00:00', ARRAY['new', 'gift'], '{"channel": "app"}', '123e4567-e89b-12d3-a456-426614174000', NULL),
    (100, 2, 1, 'cup', 'kitchen', 4, 80.00, NULL, '2026-01-05 10:00:00+00', '2026-01-06 09:00:00', NULL, NULL, NULL, NULL),
    (101, 1, 2, 'lamp', 'living', 1, 350.00, 0, '2026-02-10 16:45:00+00', NULL, ARRAY['gift'], '{"channel": "store", "n": 2}', NULL, NULL),
    (102, 1, 1, 'sofa', 'living', 1, 2999.00, 0.1, '2026-02-20 09:15:00+00', '2026-02-25 18:00:00', NULL, NULL, NULL, NULL),
    (103, 1, 4, 'cup', 'kitchen', 2, 40.00, NULL, '2026-04-01 00:00:00+00', NULL, NULL, NULL, NULL, NULL),
    (104, 1, NULL, NULL, NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

INSERT INTO crm.notes VALUES (1, 1, 'Ann', 'likes tea'), (2, 3, 'Bob', '要求退款');

CREATE VIEW order_totals AS
SELECT customer_id, count(*) AS lines, sum(amount) AS amount, max(ordered_at) AS last_ordered_at
FROM orders
WHERE customer_id IS NOT NULL
GROUP BY customer_id;
COMMENT ON VIEW order_totals IS 'What each customer ordered';

CREATE VIEW crm.contacts AS
SELECT c.customer_id, c.name, n.body FROM customers c LEFT JOIN crm.notes n ON n.customer_id = c.customer_id;

CREATE MATERIALIZED VIEW category_sales AS
SELECT category, count(*) AS lines, sum(amount) AS amount FROM orders GROUP BY category;
