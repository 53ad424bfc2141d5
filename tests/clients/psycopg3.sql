-- client: psycopg3 3.3.9
-- session: 1
-- step: query with parameters
BEGIN
-- next
-- step: query with parameters
-- params: ["CN", "3.5"]
SELECT * FROM customers WHERE country = $1 AND score > $2
-- next
-- step: query with parameters
-- params: ["{100,101}"]
SELECT * FROM orders WHERE order_id = ANY($1)
-- next
-- step: query with parameters
-- params: ["1"]
SELECT name FROM customers WHERE customer_id = $1
-- next
-- step: type information
SAVEPOINT "_pg3_1"
-- next
-- step: type information
-- params: ["hstore"]
SELECT
    typname AS name, oid, typarray AS array_oid,
    oid::regtype::text AS regtype, typdelim AS delimiter
FROM pg_type t
WHERE t.oid = to_regtype($1)
ORDER BY t.oid
-- next
-- step: type information
RELEASE "_pg3_1"
-- next
-- step: type information
-- again
SAVEPOINT "_pg3_1"
-- next
-- step: type information
-- params: ["mood"]
SELECT name, oid, array_oid, regtype, array_agg(label) AS labels
FROM (
    SELECT
        t.typname AS name, t.oid AS oid, t.typarray AS array_oid,
        t.oid::regtype::text AS regtype, e.enumlabel AS label
    FROM pg_type t
    LEFT JOIN  pg_enum e
    ON e.enumtypid = t.oid
    WHERE t.oid = to_regtype($1)
    ORDER BY e.enumsortorder
) x
GROUP BY name, oid, array_oid, regtype
-- next
-- step: type information
-- again
RELEASE "_pg3_1"
-- next
-- step: type information
-- again
SAVEPOINT "_pg3_1"
-- next
-- step: type information
-- params: ["address"]
SELECT
    t.typname AS name, t.oid AS oid, t.typarray AS array_oid,
    t.oid::regtype::text AS regtype,
    coalesce(a.fnames, '{}') AS field_names,
    coalesce(a.ftypes, '{}') AS field_types
FROM pg_type t
LEFT JOIN (
    SELECT
        attrelid,
        array_agg(attname) AS fnames,
        array_agg(atttypid) AS ftypes
    FROM (
        SELECT a.attrelid, a.attname, a.atttypid
        FROM pg_attribute a
        JOIN pg_type t ON t.typrelid = a.attrelid
        WHERE t.oid = to_regtype($1)
        AND a.attnum > 0
        AND NOT a.attisdropped
        ORDER BY a.attnum
    ) x
    GROUP BY attrelid
) a ON a.attrelid = t.typrelid
WHERE t.oid = to_regtype($1)
-- next
-- step: type information
-- again
RELEASE "_pg3_1"
-- next
-- step: type information
-- again
SAVEPOINT "_pg3_1"
-- next
-- step: type information
-- params: ["tstzrange"]
SELECT t.typname AS name, t.oid AS oid, t.typarray AS array_oid,
    t.oid::regtype::text AS regtype,
    r.rngsubtype AS subtype_oid
FROM pg_type t
JOIN pg_range r ON t.oid = r.rngtypid
WHERE t.oid = to_regtype($1)
-- next
-- step: type information
-- again
RELEASE "_pg3_1"
-- next
-- step: server-side cursor
-- params: ["1"]
DECLARE "rows" SCROLL CURSOR FOR SELECT * FROM orders WHERE order_id > $1 ORDER BY order_id, line
-- next
-- step: server-side cursor
FETCH FORWARD 1 FROM "rows"
-- next
-- step: server-side cursor
MOVE ABSOLUTE 0 FROM "rows"
-- next
-- step: server-side cursor
FETCH FORWARD ALL FROM "rows"
-- next
-- step: server-side cursor
CLOSE "rows"
-- next
-- step: steal a cursor
DECLARE mine CURSOR FOR SELECT 1
-- next
-- step: steal a cursor
FETCH FORWARD ALL FROM "mine"
-- next
-- step: savepoint
-- again
SAVEPOINT "_pg3_1"
-- next
-- step: savepoint
SELECT 1
-- next
-- step: savepoint
-- again
RELEASE "_pg3_1"
-- next
-- step: copy
COPY (SELECT customer_id, name FROM customers) TO STDOUT
-- next
-- step: copy
COPY (SELECT customer_id, name FROM customers) TO STDOUT (FORMAT BINARY)
-- next
-- step: copy
CREATE TEMP TABLE scratch (id int, name text) ON COMMIT DROP
-- next
-- step: copy
COPY scratch (id, name) FROM STDIN
-- next
-- step: copy
-- params: ["2", "b"]
INSERT INTO scratch VALUES ($1, $2)
-- next
-- step: copy
SELECT * FROM scratch FOR UPDATE
-- next
-- step: copy
COMMIT
-- next
-- session: 2
-- step: two-phase and read-only
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY
-- next
-- step: two-phase and read-only
ROLLBACK
-- next
-- step: two-phase and read-only
-- again
BEGIN
-- next
-- step: two-phase and read-only
DEALLOCATE ALL
-- next
-- step: two-phase and read-only
-- again
COMMIT
