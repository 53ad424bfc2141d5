-- client: redash 25, restated
-- source: github.com/getredash/redash, redash/query_runner/pg.py
-- step: test of the connection
SELECT 1
-- next
-- step: schema browser
SELECT n.nspname AS table_schema, c.relname AS table_name, a.attname AS column_name, null AS data_type
FROM pg_class c
JOIN pg_namespace n ON c.relnamespace = n.oid AND n.nspname NOT IN ('pg_catalog', 'information_schema')
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind = 'm' AND has_table_privilege(quote_ident(n.nspname) || '.' || quote_ident(c.relname), 'select')
UNION
SELECT table_schema, table_name, column_name, data_type
FROM information_schema.columns
WHERE table_schema NOT IN ('pg_catalog', 'information_schema')
  AND has_table_privilege(quote_ident(table_schema) || '.' || quote_ident(table_name), 'select')
-- next
-- step: a scheduled query
/* Username: ann, query_id: 7, Queue: queries, Job ID: 2f, Query Hash: c0ffee, Scheduled: False */ SELECT date(ordered_at) AS day, count(*) FROM orders WHERE ordered_at > now() - interval '10 years' GROUP BY 1 ORDER BY 1
