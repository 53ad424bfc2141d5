-- client: superset 6, restated
-- source: github.com/apache/superset, superset/db_engine_specs/postgres.py and its documentation of time grains; what SQLAlchemy adds is in sqlalchemy.sql
-- step: catalogs
SELECT datname FROM pg_database
WHERE datistemplate = false
-- next
-- step: SQL Lab: backend to cancel
SELECT pg_backend_pid()
-- next
-- step: SQL Lab: cancel
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid='0'
-- next
-- step: SQL Lab: cost estimate
EXPLAIN SELECT category, sum(amount) FROM orders GROUP BY category
-- next
-- step: SQL Lab: schema of the session
set search_path = "public"
-- next
-- step: SQL Lab: preview of a table
SELECT order_id, line, customer_id, product, category, quantity, amount, discount, ordered_at, shipped_at, tags, attributes, tracking, receipt
FROM public.orders
LIMIT 100
-- next
-- step: SQL Lab: a query with its limit
SELECT customers.name, count(*) AS n FROM customers JOIN orders USING (customer_id) GROUP BY customers.name
LIMIT 1001
-- next
-- step: dataset: columns of a virtual dataset
SELECT * FROM (SELECT category, sum(amount) AS total FROM orders GROUP BY category) AS __subq LIMIT 0
-- next
-- step: dataset: is a column temporal
SELECT min(ordered_at), max(ordered_at) FROM public.orders
-- next
-- step: chart: big number with trend line, month
SELECT DATE_TRUNC('month', ordered_at) AS ordered_at, COUNT(*) AS count 
FROM public.orders 
WHERE ordered_at >= TO_TIMESTAMP('2026-01-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') AND ordered_at < TO_TIMESTAMP('2027-01-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') GROUP BY DATE_TRUNC('month', ordered_at) ORDER BY ordered_at ASC 
 LIMIT 50000
-- next
-- step: chart: time grains of seconds and minutes
SELECT DATE_TRUNC('second', ordered_at) AS s, DATE_TRUNC('minute', ordered_at) + INTERVAL '5 seconds' * FLOOR(EXTRACT(SECOND FROM ordered_at) / 5) AS s5, DATE_TRUNC('minute', ordered_at) AS m, DATE_TRUNC('hour', ordered_at) + INTERVAL '5 minutes' * FLOOR(EXTRACT(MINUTE FROM ordered_at) / 5) AS m5, DATE_TRUNC('hour', ordered_at) AS h, DATE_TRUNC('day', ordered_at) + INTERVAL '6 hours' * FLOOR(EXTRACT(HOUR FROM ordered_at) / 6) AS h6, COUNT(*) AS count
FROM public.orders GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1
-- next
-- step: chart: time grains of days to years, weeks that start on Sunday
SELECT DATE_TRUNC('day', ordered_at) AS d, DATE_TRUNC('week', ordered_at) AS w, DATE_TRUNC('week', (ordered_at + INTERVAL '1 DAY')) + INTERVAL '-1 DAY' AS w_sun, DATE_TRUNC('week', (ordered_at + INTERVAL '2 DAY')) + INTERVAL '5 DAY' AS w_sat, DATE_TRUNC('quarter', ordered_at) AS q, DATE_TRUNC('year', ordered_at) AS y, COUNT(*) AS count
FROM public.orders GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1
-- next
-- step: chart: a date column
SELECT DATE_TRUNC('year', born_on) AS born_on, COUNT(*) AS count FROM public.customers WHERE born_on >= TO_DATE('1980-01-01', 'YYYY-MM-DD') AND born_on < TO_DATE('2010-01-01', 'YYYY-MM-DD') GROUP BY DATE_TRUNC('year', born_on) ORDER BY 1
-- next
-- step: chart: epochs as times
SELECT DATE_TRUNC('day', (timestamp 'epoch' + customer_id * interval '1 second')) AS __timestamp, COUNT(*) AS count FROM public.customers GROUP BY 1
-- next
-- step: chart: top series
SELECT DATE_TRUNC('month', ordered_at) AS __timestamp, category AS category, sum(amount) AS "SUM(amount)" 
FROM public.orders JOIN (SELECT category AS category__, sum(amount) AS mme_inner__ 
FROM public.orders 
WHERE ordered_at >= '2026-01-01' GROUP BY category ORDER BY mme_inner__ DESC 
 LIMIT 10) AS series_limit ON category = category__ 
WHERE ordered_at >= '2026-01-01' GROUP BY category, DATE_TRUNC('month', ordered_at) ORDER BY "SUM(amount)" DESC 
 LIMIT 10000
-- next
-- step: chart: pivot table
SELECT category AS category, product AS product, AVG(amount) AS "AVG(amount)", COUNT(DISTINCT customer_id) AS "COUNT_DISTINCT(customer_id)" 
FROM public.orders 
WHERE category IN ('kitchen', 'living') AND (amount > 50) GROUP BY category, product ORDER BY "AVG(amount)" DESC 
 LIMIT 10000
-- next
-- step: chart: table with server-side pages
SELECT COUNT(*) AS rowcount FROM (SELECT order_id AS order_id, amount AS amount FROM public.orders LIMIT 50000) AS rowcount_qry
-- next
-- step: chart: table with search
SELECT name AS name, email AS email, score AS score FROM public.customers WHERE name ILIKE '%e%' OR email LIKE 'li%' ORDER BY score DESC NULLS LAST LIMIT 1000 OFFSET 0
-- next
-- step: chart: percentiles of a box plot
SELECT category AS category, PERCENTILE_CONT(0.25) WITHIN GROUP (ORDER BY amount) AS q1, PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY amount) AS median, STDDEV_SAMP(amount) AS dev FROM public.orders GROUP BY category
-- next
-- step: chart: with rollup
SELECT category, product, SUM(quantity) AS n, GROUPING(category) AS g FROM public.orders GROUP BY ROLLUP (category, product) ORDER BY category NULLS LAST, product NULLS LAST, n
-- next
-- step: chart: histogram
SELECT CASE WHEN score < 5 THEN 'low' WHEN score IS NULL THEN NULL ELSE 'high' END AS bucket, COUNT(*) AS count, ROUND(CAST(AVG(score) AS NUMERIC), 2) AS avg FROM public.customers GROUP BY 1 ORDER BY 1
-- next
-- step: native filter: values and range
SELECT DISTINCT category AS category FROM public.orders WHERE category IS NOT NULL ORDER BY category ASC LIMIT 1000
-- next
-- step: native filter: values and range
SELECT MIN(amount) AS min, MAX(amount) AS max FROM public.orders
-- next
-- step: chart: custom metric
SELECT SUM(CASE WHEN score >= 9 THEN 1 ELSE 0 END)::float / NULLIF(COUNT(score), 0) - SUM(CASE WHEN score <= 6 THEN 1 ELSE 0 END)::float / NULLIF(COUNT(score), 0) AS nps, COUNT(*) FILTER (WHERE active) AS active FROM public.customers
