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
\echo == copy_by_a_file
\setenv FILE `mktemp`
\copy (SELECT id, name, price FROM many WHERE id < 4 ORDER BY id) TO PROGRAM 'cat >"$FILE"' WITH (FORMAT csv, HEADER, DELIMITER ';')
\! cat "$FILE"
\copy written (id, name, amount) FROM PROGRAM 'cat "$FILE"' WITH (FORMAT csv, HEADER, DELIMITER ';')
SELECT count(*), sum(amount) FROM written;
SELECT id FROM many WHERE id < 3 ORDER BY id \g | cat
COPY (SELECT id FROM many WHERE id < 3 ORDER BY id) TO STDOUT \g | cat
\! rm "$FILE"
\echo == copy_of_rows_that_follow
\copy written (id, name) FROM STDIN WITH (NULL '-')
10	ten
11	-
\.
SELECT id, name IS NULL AS absent FROM written WHERE id > 9 ORDER BY id;
\echo == copy_that_fails
\copy written FROM PROGRAM 'printf "20\\ta\\t1\\nx\\tb\\t2\\n"'
\copy written FROM PROGRAM 'printf "20\\ta\\n"'
\copy written FROM PROGRAM 'printf "20\\ta\\t1\\tmore\\n"'
\copy written (absent) FROM PROGRAM 'true'
\copy absent FROM PROGRAM 'true'
\copy (SELECT absent) TO STDOUT
SELECT count(*) FROM written WHERE id = 20;
\echo == where_a_copy_fails
\set VERBOSITY default
\copy written FROM PROGRAM 'printf "20\\ta\\t1\\nx\\tb\\t2\\n"'
\set VERBOSITY sqlstate
\echo == copy_in_a_transaction
BEGIN;
\copy written FROM PROGRAM 'printf "30\\ta\\t1\\n"'
SELECT count(*) FROM written WHERE id = 30;
ROLLBACK;
SELECT count(*) FROM written WHERE id = 30;
\echo == fetch_count_in_a_transaction
\set FETCH_COUNT 2
BEGIN;
SELECT id, name FROM many WHERE id < 6 ORDER BY id;
\echo :ROW_COUNT
WITH few AS (SELECT id FROM many WHERE id < 4) SELECT id FROM few ORDER BY id;
SELECT 1 / (3 - id) FROM many WHERE id < 6 ORDER BY id;
SELECT 1;
ROLLBACK;
INSERT INTO written VALUES (40, 'x', 1);
VALUES (1), (2), (3);
\unset FETCH_COUNT
\echo == expanded_once
SELECT id, name FROM many WHERE id = 3 \gx
\echo == table_and_values
TABLE many ORDER BY id LIMIT 1;
VALUES (1, 'a'), (2, 'b') ORDER BY 1 DESC;
\echo == conditions
SELECT count(*) > 0 AS there FROM many \gset
\if :there
\echo there is
\else
\echo there is none
\endif
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
