CREATE SCHEMA IF NOT EXISTS cdnow;

CREATE TABLE IF NOT EXISTS cdnow.orders (
    customer_id text NOT NULL,
    ordered_on date NOT NULL,
    discs integer,
    amount numeric(10, 2) NOT NULL
);

COMMENT ON TABLE cdnow.orders IS 'Orders of a shop for records, from January 1997 to June 1998';
