-- client: looker 25, restated
-- source: github.com/MaterializeInc/materialize/issues/9531; Looker's documentation of PostgreSQL connections and of symmetric aggregates
-- step: test of the connection
-- params: []
SELECT 1
-- next
-- step: test: cancelling a query
-- params: []
SELECT pg_backend_pid()
-- next
-- step: test: cancelling a query
-- params: []
SELECT pid, query, state FROM pg_stat_activity WHERE usename = current_user AND query LIKE '%looker kill test%' AND pid <> pg_backend_pid()
-- next
-- step: test: cancelling a query
-- params: ["0"]
SELECT pg_terminate_backend($1::int) WHERE false
-- next
-- step: test: persistent derived tables
-- params: []
CREATE TABLE crm.connection_reg_r3 AS SELECT 1 AS one
-- next
-- step: test: persistent derived tables
-- params: []
ALTER TABLE crm.connection_reg_r3 RENAME TO connection_reg_r4
-- next
-- step: test: persistent derived tables
-- params: []
DROP TABLE IF EXISTS crm.connection_reg_r4
-- next
-- step: schemas and tables of a project
-- params: []
SELECT table_schema, table_name, table_type FROM information_schema.tables WHERE table_schema NOT IN ('information_schema', 'pg_catalog') ORDER BY 1, 2
-- next
-- step: columns of a project
-- params: ["public"]
SELECT table_name, column_name, data_type, ordinal_position, character_maximum_length FROM information_schema.columns WHERE table_schema = $1 ORDER BY table_name, ordinal_position
-- next
-- step: an explore by month with a filter
SELECT
    (TO_CHAR(DATE_TRUNC('month', orders.ordered_at AT TIME ZONE 'UTC' AT TIME ZONE 'America/Los_Angeles'), 'YYYY-MM')) AS "orders.ordered_month",
    COUNT(DISTINCT customers.customer_id ) AS "customers.count",
    COALESCE(SUM(orders.amount ), 0) AS "orders.total_amount"
FROM public.orders AS orders
LEFT JOIN public.customers AS customers ON orders.customer_id = customers.customer_id
WHERE (( orders.ordered_at ) >= ((SELECT (DATE_TRUNC('year', TIMESTAMP '2026-06-01 00:00:00')))) AND ( orders.ordered_at ) < ((SELECT (DATE_TRUNC('year', TIMESTAMP '2026-06-01 00:00:00') + (1 || ' year')::INTERVAL))))
GROUP BY
    (DATE_TRUNC('month', orders.ordered_at AT TIME ZONE 'UTC' AT TIME ZONE 'America/Los_Angeles'))
ORDER BY
    1 DESC
FETCH NEXT 500 ROWS ONLY
-- next
-- step: a symmetric aggregate
SELECT customers.country AS "customers.country",
    COALESCE(COALESCE(CAST( ( SUM(DISTINCT (CAST(FLOOR(COALESCE(customers.score, 0) * (1000000 * 1.0)) AS DECIMAL(65, 0))) + ('x' || MD5(customers.customer_id::varchar))::bit(64)::bigint::DECIMAL(65) * 18446744073709551616 + ('x' || SUBSTR(MD5(customers.customer_id::varchar), 17))::bit(64)::bigint::DECIMAL(65) )
      - SUM(DISTINCT ('x' || MD5(customers.customer_id::varchar))::bit(64)::bigint::DECIMAL(65) * 18446744073709551616 + ('x' || SUBSTR(MD5(customers.customer_id::varchar), 17))::bit(64)::bigint::DECIMAL(65)) ) AS DOUBLE PRECISION) / CAST((1000000 * 1.0) AS DOUBLE PRECISION), 0), 0) AS "customers.total_score"
FROM public.orders AS orders
LEFT JOIN public.customers AS customers ON orders.customer_id = customers.customer_id
GROUP BY 1
ORDER BY 2 DESC
LIMIT 500
-- next
-- step: a pivot
SELECT * FROM (
SELECT *, DENSE_RANK() OVER (ORDER BY z___min_rank) as z___pivot_row_rank, RANK() OVER (PARTITION BY z__pivot_col_rank ORDER BY z___min_rank) as z__pivot_col_ordering FROM (
SELECT *, MIN(z___rank) OVER (PARTITION BY "customers.country") as z___min_rank FROM (
SELECT *, RANK() OVER (ORDER BY CASE WHEN z__pivot_col_rank=1 THEN (CASE WHEN "orders.count" IS NOT NULL THEN 0 ELSE 1 END) ELSE 2 END, CASE WHEN z__pivot_col_rank=1 THEN "orders.count" ELSE NULL END DESC, "orders.count" DESC, z__pivot_col_rank, "customers.country") AS z___rank FROM (
SELECT *, DENSE_RANK() OVER (ORDER BY CASE WHEN "orders.category" IS NULL THEN 1 ELSE 0 END, "orders.category") AS z__pivot_col_rank FROM (
SELECT orders.category AS "orders.category", customers.country AS "customers.country", COUNT(*) AS "orders.count"
FROM public.orders AS orders LEFT JOIN public.customers AS customers ON orders.customer_id = customers.customer_id GROUP BY 1, 2) ww
) bb WHERE z__pivot_col_rank <= 16384
) aa
) xx
) zz WHERE (z__pivot_col_rank <= 50 OR z__pivot_col_ordering = 1) AND z___pivot_row_rank <= 500 ORDER BY z___pivot_row_rank
