-- client: psycopg2 2.9.13
-- session: 1
-- step: query with parameters
BEGIN
-- next
-- step: query with parameters
SELECT * FROM customers WHERE country = 'CN' AND score > 3.5
-- next
-- step: query with parameters
SELECT * FROM orders WHERE tags && ARRAY['gift'] AND order_id = ANY(ARRAY[100,101])
-- next
-- step: query with parameters
SELECT true, NULL, '\x00ff'::bytea
-- next
-- step: query with parameters
COMMIT
-- next
-- step: named cursor
-- again
BEGIN
-- next
-- step: named cursor
DECLARE "rows" CURSOR WITHOUT HOLD FOR SELECT * FROM orders ORDER BY order_id, line
-- next
-- step: named cursor
FETCH FORWARD 2 FROM "rows"
-- next
-- step: named cursor
MOVE 1 FROM "rows"
-- next
-- step: named cursor
FETCH FORWARD ALL FROM "rows"
-- next
-- step: named cursor
CLOSE "rows"
-- next
-- step: named cursor
DECLARE "held" SCROLL CURSOR WITH HOLD FOR SELECT customer_id FROM customers ORDER BY 1
-- next
-- step: named cursor
FETCH FORWARD 1 FROM "held"
-- next
-- step: named cursor
-- again
COMMIT
-- next
-- step: named cursor
MOVE -1 FROM "held"
-- next
-- step: named cursor
FETCH FORWARD ALL FROM "held"
-- next
-- step: named cursor
CLOSE "held"
-- next
-- step: register types
-- again
BEGIN
-- next
-- step: register types
SELECT t.oid, typarray
FROM pg_type t JOIN pg_namespace ns
    ON typnamespace = ns.oid
WHERE typname = 'hstore';
-- next
-- step: register types
ROLLBACK
-- next
-- step: register types
-- again
BEGIN
-- next
-- step: register types
SELECT t.oid, typarray, attname, atttypid
FROM pg_type t
JOIN pg_namespace ns ON typnamespace = ns.oid
JOIN pg_attribute a ON attrelid = typrelid
WHERE typname = 'address' AND nspname = 'public'
    AND attnum > 0 AND NOT attisdropped
ORDER BY attnum;
-- next
-- step: register types
-- again
ROLLBACK
-- next
-- step: session settings
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY
-- next
-- step: session settings
SELECT 1
-- next
-- step: session settings
-- again
ROLLBACK
-- next
-- step: session settings
DISCARD ALL
-- next
-- step: insert
-- again
BEGIN
-- next
-- step: insert
CREATE TABLE scratch (id int, name text)
-- next
-- step: insert
INSERT INTO scratch VALUES (1,'a'),(2,'b')
-- next
-- step: insert
UPDATE scratch SET name = 'x' WHERE id = 1;UPDATE scratch SET name = 'y' WHERE id = 2
-- next
-- step: insert
INSERT INTO scratch VALUES (3, 'c') RETURNING id
-- next
-- step: copy
COPY "scratch" TO stdout WITH DELIMITER AS '	' NULL AS '\N'
-- next
-- step: copy
COPY "scratch" FROM stdin WITH DELIMITER AS '	' NULL AS '\N'
-- next
-- step: copy
COPY (SELECT * FROM scratch) TO STDOUT WITH CSV HEADER
-- next
-- step: copy
DROP TABLE scratch
-- next
-- step: copy
-- again
COMMIT
