-- client: postgres_fdw 15.18
-- session: 1
-- step: IMPORT FOREIGN SCHEMA
SET search_path = pg_catalog
-- next
-- step: IMPORT FOREIGN SCHEMA
SET timezone = 'GMT'
-- next
-- step: IMPORT FOREIGN SCHEMA
SET datestyle = ISO
-- next
-- step: IMPORT FOREIGN SCHEMA
SET intervalstyle = postgres
-- next
-- step: IMPORT FOREIGN SCHEMA
SET extra_float_digits = 3
-- next
-- step: IMPORT FOREIGN SCHEMA
START TRANSACTION ISOLATION LEVEL REPEATABLE READ
-- next
-- step: IMPORT FOREIGN SCHEMA
SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'public'
-- next
-- step: IMPORT FOREIGN SCHEMA
SELECT relname,   attname,   format_type(atttypid, atttypmod),   attnotnull,   pg_get_expr(adbin, adrelid),   attgenerated,   collname,   collnsp.nspname FROM pg_class c   JOIN pg_namespace n ON     relnamespace = n.oid   LEFT JOIN pg_attribute a ON     attrelid = c.oid AND attnum > 0       AND NOT attisdropped   LEFT JOIN pg_attrdef ad ON     adrelid = c.oid AND adnum = attnum   LEFT JOIN pg_collation coll ON     coll.oid = attcollation   LEFT JOIN pg_namespace collnsp ON     collnsp.oid = collnamespace WHERE c.relkind IN ('r','v','f','m','p')   AND n.nspname = 'public' AND NOT c.relispartition  AND c.relname NOT IN ('tickets') ORDER BY c.relname, a.attnum
-- next
-- step: IMPORT FOREIGN SCHEMA
COMMIT TRANSACTION
-- next
-- step: IMPORT FOREIGN SCHEMA
-- again
START TRANSACTION ISOLATION LEVEL REPEATABLE READ
-- next
-- step: IMPORT FOREIGN SCHEMA
SELECT relname,   attname,   format_type(atttypid, atttypmod),   attnotnull,   pg_get_expr(adbin, adrelid),   attgenerated,   collname,   collnsp.nspname FROM pg_class c   JOIN pg_namespace n ON     relnamespace = n.oid   LEFT JOIN pg_attribute a ON     attrelid = c.oid AND attnum > 0       AND NOT attisdropped   LEFT JOIN pg_attrdef ad ON     adrelid = c.oid AND adnum = attnum   LEFT JOIN pg_collation coll ON     coll.oid = attcollation   LEFT JOIN pg_namespace collnsp ON     collnsp.oid = collnamespace WHERE c.relkind IN ('r','v','f','m','p')   AND n.nspname = 'crm' AND c.relname IN ('notes', 'contacts') ORDER BY c.relname, a.attnum
-- next
-- step: IMPORT FOREIGN SCHEMA
-- again
COMMIT TRANSACTION
-- next
-- step: query
-- again
START TRANSACTION ISOLATION LEVEL REPEATABLE READ
-- next
-- step: query
-- params: []
DECLARE c1 CURSOR FOR
SELECT name FROM public.customers WHERE ((customer_id = 1)) AND ((country = 'CN'))
-- next
-- step: query
FETCH 2 FROM c1
-- next
-- step: query
CLOSE c1
-- next
-- step: query
-- again
COMMIT TRANSACTION
-- next
-- step: query
-- again
START TRANSACTION ISOLATION LEVEL REPEATABLE READ
-- next
-- step: query
-- params: []
DECLARE c1 CURSOR FOR
SELECT category, count(*), sum(amount) FROM public.orders GROUP BY 1 ORDER BY category ASC NULLS LAST
-- next
-- step: query
-- again
CLOSE c1
-- next
-- step: query
-- again
COMMIT TRANSACTION
-- next
-- step: query
-- again
START TRANSACTION ISOLATION LEVEL REPEATABLE READ
-- next
-- step: query
-- params: []
DECLARE c1 CURSOR FOR
SELECT r1.name, r2.amount FROM (public.customers r1 INNER JOIN public.orders r2 ON (((r1.customer_id = r2.customer_id)) AND ((r2.ordered_at > '2026-01-01 00:00:00+00')))) ORDER BY r2.amount ASC NULLS LAST LIMIT 3::bigint
-- next
-- step: query
-- again
CLOSE c1
-- next
-- step: query
-- again
COMMIT TRANSACTION
-- next
-- step: query
-- again
START TRANSACTION ISOLATION LEVEL REPEATABLE READ
-- next
-- step: query
-- params: []
DECLARE c1 CURSOR FOR
SELECT order_id, line, customer_id, product, category, quantity, amount, discount, ordered_at, shipped_at, tags, attributes, tracking, receipt FROM public.orders WHERE ((category ~~ 'k%'))
-- next
-- step: query
-- again
CLOSE c1
-- next
-- step: query
-- again
COMMIT TRANSACTION
-- next
-- session: 2
-- step: query with remote estimates
-- again
SET search_path = pg_catalog
-- next
-- step: query with remote estimates
-- again
SET timezone = 'GMT'
-- next
-- step: query with remote estimates
-- again
SET datestyle = ISO
-- next
-- step: query with remote estimates
-- again
SET intervalstyle = postgres
-- next
-- step: query with remote estimates
-- again
SET extra_float_digits = 3
-- next
-- step: query with remote estimates
-- again
START TRANSACTION ISOLATION LEVEL REPEATABLE READ
-- next
-- step: query with remote estimates
EXPLAIN SELECT name FROM public.customers WHERE ((customer_id = 1)) AND ((country = 'CN'))
-- next
-- step: query with remote estimates
-- again
-- params: []
DECLARE c1 CURSOR FOR
SELECT name FROM public.customers WHERE ((customer_id = 1)) AND ((country = 'CN'))
-- next
-- step: query with remote estimates
-- again
CLOSE c1
-- next
-- step: query with remote estimates
-- again
COMMIT TRANSACTION
-- next
-- step: query with remote estimates
-- again
START TRANSACTION ISOLATION LEVEL REPEATABLE READ
-- next
-- step: query with remote estimates
EXPLAIN SELECT category, amount FROM public.orders
-- next
-- step: query with remote estimates
EXPLAIN SELECT category, amount FROM public.orders ORDER BY category ASC NULLS LAST
-- next
-- step: query with remote estimates
EXPLAIN SELECT category, count(*), sum(amount) FROM public.orders GROUP BY 1
-- next
-- step: query with remote estimates
EXPLAIN SELECT category, count(*), sum(amount) FROM public.orders GROUP BY 1 ORDER BY category ASC NULLS LAST
-- next
-- step: query with remote estimates
-- params: []
DECLARE c1 CURSOR FOR
SELECT category, amount FROM public.orders ORDER BY category ASC NULLS LAST
-- next
-- step: query with remote estimates
-- again
CLOSE c1
-- next
-- step: query with remote estimates
-- again
COMMIT TRANSACTION
-- next
-- step: query with remote estimates
-- again
START TRANSACTION ISOLATION LEVEL REPEATABLE READ
-- next
-- step: query with remote estimates
EXPLAIN SELECT customer_id, name FROM public.customers
-- next
-- step: query with remote estimates
EXPLAIN SELECT customer_id, amount FROM public.orders WHERE ((ordered_at > '2026-01-01 00:00:00+00'))
-- next
-- step: query with remote estimates
EXPLAIN SELECT customer_id, name FROM public.customers ORDER BY customer_id ASC NULLS LAST
-- next
-- step: query with remote estimates
EXPLAIN SELECT customer_id, name FROM public.customers WHERE ((((SELECT null::bigint)::bigint) = customer_id))
-- next
-- step: query with remote estimates
EXPLAIN SELECT customer_id, amount FROM public.orders WHERE ((ordered_at > '2026-01-01 00:00:00+00')) ORDER BY amount ASC NULLS LAST
-- next
-- step: query with remote estimates
EXPLAIN SELECT customer_id, amount FROM public.orders WHERE ((ordered_at > '2026-01-01 00:00:00+00')) ORDER BY customer_id ASC NULLS LAST
-- next
-- step: query with remote estimates
EXPLAIN SELECT customer_id, amount FROM public.orders WHERE ((((SELECT null::bigint)::bigint) = customer_id)) AND ((ordered_at > '2026-01-01 00:00:00+00'))
-- next
-- step: query with remote estimates
EXPLAIN SELECT r1.name, r2.amount FROM (public.customers r1 INNER JOIN public.orders r2 ON (((r1.customer_id = r2.customer_id)) AND ((r2.ordered_at > '2026-01-01 00:00:00+00'))))
-- next
-- step: query with remote estimates
EXPLAIN SELECT r1.name, r2.amount FROM (public.customers r1 INNER JOIN public.orders r2 ON (((r1.customer_id = r2.customer_id)) AND ((r2.ordered_at > '2026-01-01 00:00:00+00')))) ORDER BY r2.amount ASC NULLS LAST
-- next
-- step: query with remote estimates
EXPLAIN SELECT r1.name, r2.amount FROM (public.customers r1 INNER JOIN public.orders r2 ON (((r1.customer_id = r2.customer_id)) AND ((r2.ordered_at > '2026-01-01 00:00:00+00')))) ORDER BY r2.amount ASC NULLS LAST LIMIT 3::bigint
-- next
-- step: query with remote estimates
-- params: []
DECLARE c1 CURSOR FOR
SELECT r1.name, r2.amount FROM (public.customers r1 INNER JOIN public.orders r2 ON (((r1.customer_id = r2.customer_id)) AND ((r2.ordered_at > '2026-01-01 00:00:00+00'))))
-- next
-- step: query with remote estimates
-- again
CLOSE c1
-- next
-- step: query with remote estimates
-- again
COMMIT TRANSACTION
-- next
-- step: query with remote estimates
-- again
START TRANSACTION ISOLATION LEVEL REPEATABLE READ
-- next
-- step: query with remote estimates
EXPLAIN SELECT order_id, line, customer_id, product, category, quantity, amount, discount, ordered_at, shipped_at, tags, attributes, tracking, receipt FROM public.orders WHERE ((category ~~ 'k%'))
-- next
-- step: query with remote estimates
-- again
-- params: []
DECLARE c1 CURSOR FOR
SELECT order_id, line, customer_id, product, category, quantity, amount, discount, ordered_at, shipped_at, tags, attributes, tracking, receipt FROM public.orders WHERE ((category ~~ 'k%'))
-- next
-- step: query with remote estimates
-- again
CLOSE c1
-- next
-- step: query with remote estimates
-- again
COMMIT TRANSACTION
-- next
-- step: ANALYZE
-- again
START TRANSACTION ISOLATION LEVEL REPEATABLE READ
-- next
-- step: ANALYZE
SELECT pg_catalog.pg_relation_size('public.orders'::pg_catalog.regclass) / 8192
-- next
-- step: ANALYZE
DECLARE c1 CURSOR FOR SELECT order_id, line, customer_id, product, category, quantity, amount, discount, ordered_at, shipped_at, tags, attributes, tracking, receipt FROM public.orders
-- next
-- step: ANALYZE
-- again
CLOSE c1
-- next
-- step: ANALYZE
-- again
COMMIT TRANSACTION
-- next
-- session: 3
-- step: change
CREATE TABLE scratch (id int PRIMARY KEY, name text)
-- next
-- session: 2
-- step: change
-- again
START TRANSACTION ISOLATION LEVEL REPEATABLE READ
-- next
-- step: change
-- params: ["1", "a"]
INSERT INTO public.scratch(id, name) VALUES ($1, $2)
-- next
-- step: change
DEALLOCATE pgsql_fdw_prep_1
-- next
-- step: change
-- again
COMMIT TRANSACTION
-- next
-- step: change
-- again
START TRANSACTION ISOLATION LEVEL REPEATABLE READ
-- next
-- step: change
EXPLAIN SELECT id, name, ctid FROM public.scratch WHERE ((id = 1)) FOR UPDATE
-- next
-- step: change
-- params: []
DECLARE c1 CURSOR FOR
SELECT id, name, ctid FROM public.scratch WHERE ((id = 1)) FOR UPDATE
-- next
-- step: change
-- params: ["(0,1)", "A0.7059367133138772"]
UPDATE public.scratch SET name = $2 WHERE ctid = $1
-- next
-- step: change
DEALLOCATE pgsql_fdw_prep_2
-- next
-- step: change
-- again
CLOSE c1
-- next
-- step: change
-- again
COMMIT TRANSACTION
-- next
-- step: change
-- again
START TRANSACTION ISOLATION LEVEL REPEATABLE READ
-- next
-- step: change
-- params: []
UPDATE public.scratch SET name = 'c'::text WHERE ((id = 2))
-- next
-- step: change
-- again
COMMIT TRANSACTION
-- next
-- step: change
-- again
START TRANSACTION ISOLATION LEVEL REPEATABLE READ
-- next
-- step: change
EXPLAIN SELECT ctid FROM public.scratch FOR UPDATE
-- next
-- step: change
-- params: []
DELETE FROM public.scratch
-- next
-- step: change
-- again
COMMIT TRANSACTION
-- next
-- session: 3
-- step: change
DROP TABLE scratch
