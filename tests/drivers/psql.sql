\set VERBOSITY sqlstate
\pset pager off
\pset format unaligned
\echo == set_up
DROP TABLE IF EXISTS many;
DROP TABLE IF EXISTS written;
CREATE TABLE many (id bigint, name varchar(20), price numeric(10,2), day date, at timestamptz);
INSERT INTO many SELECT i, 'name ' || i, 0.25 * i, DATE '2026-01-01', TIMESTAMPTZ '2026-01-01 12:00:00+00' FROM generate_series(1, 2500) AS g(i);
CREATE TABLE written (id integer, name text, amount numeric(18,2));
\echo == aligned
\pset format aligned
SELECT id, name, price FROM many WHERE id < 4 ORDER BY id;
\echo == expanded
\x on
SELECT * FROM many WHERE id = 7;
\x off
\pset format unaligned
\echo == gdesc
SELECT id, name, price, day, at, id + 1 AS next, price * 2 AS double, 'x' AS word, NULL AS nothing, name || '' AS joined FROM many \gdesc
\echo == gdesc_of_aggregates
SELECT count(*), sum(price), avg(id), max(day), min(name) FROM many \gdesc
\echo == gset
SELECT 7 AS seven, 'text' AS word \gset
\echo :seven :word
\echo == variables
\set limit 2
SELECT id FROM many ORDER BY id LIMIT :limit;
SELECT :'word' AS quoted;
\echo == gexec
SELECT 'SELECT ' || i FROM generate_series(1, 3) AS g(i) \gexec
\echo == crosstab
SELECT id % 2 AS r, id % 3 AS c, count(*) FROM many GROUP BY 1, 2 ORDER BY 1, 2 \crosstabview
\echo == fetch_count
\set FETCH_COUNT 700
SELECT id FROM many ORDER BY id OFFSET 2490;
SELECT count(*) FROM many;
\unset FETCH_COUNT
\echo == several_statements_at_once
SELECT 1 AS one\; SELECT 2 AS two;
\echo == an_error_between_statements
SELECT 1\; SELECT absent\; SELECT 2;
\echo == errors
SELECT * FROM absent;
SELECT absent FROM many;
SELEKT 1;
SELECT 1/0;
SELECT 'x'::int;
\echo == error_variables
\echo :LAST_ERROR_SQLSTATE :SQLSTATE :ROW_COUNT
\echo == transaction
BEGIN;
SELECT 1;
SELECT * FROM absent;
SELECT 1;
COMMIT;
\echo == on_error_rollback
\set ON_ERROR_ROLLBACK on
BEGIN;
SELECT * FROM absent;
SELECT 'still alive';
COMMIT;
\set ON_ERROR_ROLLBACK off
\echo == copy_in
\copy written FROM PROGRAM 'printf "1\\tone\\t1.50\\n2\\t\\\\N\\t\\\\N\\n"'
SELECT * FROM written ORDER BY id;
\echo == copy_out
\copy (SELECT * FROM many WHERE id < 3 ORDER BY id) TO STDOUT WITH (FORMAT csv, HEADER)
\copy written TO STDOUT
\echo == timing_of_nulls
\pset null '(null)'
SELECT NULL::text, '' AS empty;
\echo == time_zone
SET TIME ZONE 'Asia/Shanghai';
SELECT at FROM many WHERE id = 1;
SHOW TimeZone;
RESET TIME ZONE;
\echo == encoding
\encoding
\echo == prepared
PREPARE p (bigint) AS SELECT name FROM many WHERE id = $1;
EXECUTE p(3);
DEALLOCATE p;
\echo == csv_output
\pset format csv
SELECT id, name, 'a,"b"' AS q FROM many WHERE id < 3 ORDER BY id;
