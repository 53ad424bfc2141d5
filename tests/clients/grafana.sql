-- client: grafana 12, restated
-- source: github.com/grafana/grafana, public/app/plugins/datasource/grafana-postgresql-datasource and its documentation of macros; the tests of github.com/cube-js/cube
-- step: health check
SELECT 1
-- next
-- step: health check, an empty query
;
-- next
-- step: version
SELECT current_setting('server_version_num')::int/100 as version
-- next
-- step: TimescaleDB?
SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'
-- next
-- step: tables of the query builder
select quote_ident(table_name) as "table" from information_schema.tables
    where quote_ident(table_schema) not in ('information_schema', 'pg_catalog', '_timescaledb_internal')
      and quote_ident(table_schema) IN (
          SELECT CASE WHEN trim(p[k]) = '"$user"' THEN user ELSE trim(p[k]) END
          FROM generate_series(array_lower(string_to_array(current_setting('search_path'),','),1), array_upper(string_to_array(current_setting('search_path'),','),1)) as k,
            string_to_array(current_setting('search_path'),',') p)
-- next
-- step: tables of the query builder, newer
SELECT CASE WHEN quote_ident(table_schema) IN (
        SELECT CASE WHEN trim(p[k]) = '"$user"' THEN user ELSE trim(p[k]) END
        FROM generate_series(array_lower(string_to_array(current_setting('search_path'),','),1), array_upper(string_to_array(current_setting('search_path'),','),1)) as k,
          string_to_array(current_setting('search_path'),',') p)
    THEN quote_ident(table_name)
    ELSE quote_ident(table_schema) || '.' || quote_ident(table_name) END AS "table"
FROM information_schema.tables
WHERE quote_ident(table_schema) NOT IN ('information_schema', 'pg_catalog')
ORDER BY CASE WHEN quote_ident(table_schema) IN ('public') THEN 0 ELSE 1 END, 1
-- next
-- step: columns of the query builder
select quote_ident(column_name) as "column", data_type as "type" from information_schema.columns
where case array_length(parse_ident('public.orders'), 1)
    when 2 then quote_ident(table_schema) = (parse_ident('public.orders'))[1] and quote_ident(table_name) = (parse_ident('public.orders'))[2]
    else quote_ident(table_name) = 'orders'
  end
-- next
-- step: columns of one kind
SELECT quote_ident(column_name) FROM information_schema.columns WHERE table_schema = 'public' AND quote_ident(table_name) = 'orders' AND data_type IN ('timestamp without time zone','timestamp with time zone','bigint','integer','double precision','real') ORDER BY column_name
-- next
-- step: panel: time series by month ($__timeGroup with a string)
SELECT date_trunc('month', "ordered_at") AS "time", category AS metric, sum(amount) AS amount FROM orders WHERE "ordered_at" BETWEEN '2026-01-01T00:00:00Z' AND '2026-12-31T23:59:59Z' GROUP BY 1, 2 ORDER BY 1
-- next
-- step: panel: time series by five minutes ($__timeGroup)
SELECT floor(extract(epoch from ordered_at)/300)*300 AS "time", avg(amount) AS "value" FROM orders WHERE ordered_at BETWEEN '2026-01-01T00:00:00Z' AND '2026-12-31T23:59:59Z' GROUP BY 1 ORDER BY 1
-- next
-- step: panel: unix epochs ($__unixEpochFilter)
SELECT extract(epoch from ordered_at)::bigint AS time, count(*) FROM orders WHERE extract(epoch from ordered_at) >= 1767225600 AND extract(epoch from ordered_at) <= 1798761599 GROUP BY 1 ORDER BY 1
-- next
-- step: panel: time_bucket written with date_bin
SELECT date_bin('1 day', ordered_at, TIMESTAMP '2001-01-01') AS time, count(*) FROM orders WHERE ordered_at IS NOT NULL GROUP BY 1 ORDER BY 1
-- next
-- step: panel: table
SELECT name, country, score, created_at FROM customers WHERE country IN ('CN','FR') ORDER BY created_at DESC LIMIT 50
-- next
-- step: variable
SELECT DISTINCT category AS __text, category AS __value FROM orders WHERE category IS NOT NULL ORDER BY 1
-- next
-- step: variable used as a regular expression
SELECT name FROM customers WHERE name ~* '(brien|zo)' ORDER BY 1
-- next
-- step: several statements at once
SET TIME ZONE 'Asia/Shanghai'; SELECT ordered_at AS time, amount AS value FROM orders WHERE ordered_at IS NOT NULL ORDER BY 1
-- next
-- step: annotation
SELECT extract(epoch from shipped_at) AS time, product AS text, array_to_string(tags, ',') AS tags FROM orders WHERE shipped_at IS NOT NULL ORDER BY 1
