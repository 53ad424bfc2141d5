-- Helper tables for the Olist files whose rows are not customers, orders or feedback by themselves.

CREATE SCHEMA IF NOT EXISTS olist;
COMMENT ON SCHEMA olist IS 'Brazilian e-commerce by Olist: payments, items and products beside the canonical tables';

CREATE TABLE IF NOT EXISTS olist.payments (
    order_id           text NOT NULL,
    payment_sequential bigint NOT NULL,
    payment_type       text,
    installments       bigint,
    payment_value      numeric(18,2) NOT NULL
);
COMMENT ON TABLE olist.payments IS 'One row a payment, an order may be paid in several';

CREATE TABLE IF NOT EXISTS olist.items (
    order_id      text NOT NULL,
    order_item_id bigint NOT NULL,
    product_id    text NOT NULL,
    seller_id     text,
    price         numeric(18,2),
    freight_value numeric(18,2)
);
COMMENT ON TABLE olist.items IS 'One row an item of an order';

CREATE TABLE IF NOT EXISTS olist.products (
    product_id text NOT NULL,
    category   text
);
COMMENT ON TABLE olist.products IS 'One row a product, with its Portuguese category';
