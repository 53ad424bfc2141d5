-- Run after both.sql on the PostgreSQL that is recorded, so that clients also send what they send for keys between
-- tables, indexes, functions, types, sequences, partitions and foreign tables. Not run for a comparison.

ALTER TABLE orders ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer_id) REFERENCES customers (customer_id) ON DELETE CASCADE;
ALTER TABLE crm.notes ADD CONSTRAINT notes_customer_fkey FOREIGN KEY (customer_id) REFERENCES customers (customer_id);
CREATE INDEX orders_ordered_at ON orders (ordered_at DESC) WHERE amount > 0;
CREATE INDEX customers_lower_name ON customers (lower(name));
CREATE UNIQUE INDEX category_sales_category ON category_sales (category);
COMMENT ON INDEX orders_ordered_at IS 'for the time charts';

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE address AS (street text, city text);
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE SEQUENCE ticket_numbers START 100;
CREATE TABLE tickets (
    ticket_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number    bigint DEFAULT nextval('ticket_numbers'),
    old_id    serial,
    feeling   mood,
    home      address,
    priority  positive,
    title     text COLLATE "C",
    title_length integer GENERATED ALWAYS AS (length(title)) STORED,
    during    tstzrange,
    EXCLUDE USING gist (during WITH &&)
);
CREATE TABLE visits (visit_id bigint, visited_at timestamptz) PARTITION BY RANGE (visited_at);
CREATE TABLE visits_2026 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE vip (perk text) INHERITS (customers);

CREATE FUNCTION order_count(customer bigint) RETURNS bigint LANGUAGE sql STABLE
    AS 'SELECT count(*) FROM orders WHERE customer_id = customer';
COMMENT ON FUNCTION order_count(bigint) IS 'Lines of a customer';
CREATE FUNCTION orders_of(customer bigint, OUT product text, OUT amount numeric) RETURNS SETOF record LANGUAGE sql
    AS 'SELECT product, amount FROM orders WHERE customer_id = customer';
CREATE PROCEDURE touch(INOUT n integer) LANGUAGE plpgsql AS 'BEGIN n := n + 1; END';
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER tickets_refuse BEFORE UPDATE ON tickets FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE AGGREGATE product(double precision) (sfunc = float8mul, stype = double precision, initcond = '1');

CREATE ROLE analyst LOGIN;
CREATE ROLE readers;
GRANT readers TO analyst;
GRANT SELECT ON customers, order_totals TO readers;
GRANT SELECT (body), UPDATE (body) ON crm.notes TO analyst;
ALTER DEFAULT PRIVILEGES IN SCHEMA crm GRANT SELECT ON TABLES TO readers;
ALTER ROLE analyst IN DATABASE voxhouse SET statement_timeout = '1min';
CREATE POLICY own ON tickets USING (title = current_user);
CREATE PUBLICATION changes FOR TABLE orders;
CREATE STATISTICS orders_category ON product, category FROM orders;

CREATE EXTENSION postgres_fdw;
CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1');
CREATE USER MAPPING FOR voxhouse SERVER other OPTIONS (user 'voxhouse');
CREATE FOREIGN TABLE crm.remote_notes (note_id integer, body text) SERVER other OPTIONS (table_name 'notes');
