-- client: hasura 2, restated
-- source: github.com/hasura/graphql-engine, server/src-rsr/pg_table_metadata.sql
-- step: metadata of tracked tables
-- params: ["[{\"schema\": \"public\", \"name\": \"orders\"}, {\"schema\": \"public\", \"name\": \"order_totals\"}]"]
SELECT r.table_schema, r.table_name,
  jsonb_build_object(
    'columns', coalesce(k.info, '[]'),
    'primary_key', p.info,
    'view_info', CASE WHEN r.relkind IN ('v', 'm') THEN jsonb_build_object('is_updatable', ((pg_catalog.pg_relation_is_updatable(r.oid, true) & 4) = 4)) END,
    'description', d.description,
    'extra_table_metadata', '[]'::json
  )::json AS info
FROM (SELECT "t"."name" AS table_name, "t"."schema" AS table_schema FROM jsonb_to_recordset($1::jsonb) AS "t"("schema" text, "name" text)) tracked
LEFT JOIN (SELECT c.oid, c.relkind, c.relname AS table_name, n.nspname AS table_schema FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace) r
  ON r.table_name = tracked.table_name AND r.table_schema = tracked.table_schema
LEFT JOIN pg_catalog.pg_description d ON d.classoid = 'pg_catalog.pg_class'::regclass AND d.objoid = r.oid AND d.objsubid = 0
LEFT JOIN LATERAL
  (SELECT jsonb_agg(jsonb_build_object('name', a.attname, 'position', a.attnum, 'type', json_build_object('name', coalesce(b.typname, t.typname), 'type', t.typtype),
      'is_nullable', NOT a.attnotnull, 'description', pg_catalog.col_description(r.oid, a.attnum))) AS info
    FROM pg_catalog.pg_attribute a
    LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
    WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped) k ON true
LEFT JOIN LATERAL
  (SELECT jsonb_build_object('constraint', jsonb_build_object('name', i.relname), 'columns', coalesce(cols.info, '[]')) AS info
    FROM pg_catalog.pg_index x
    JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
    LEFT JOIN LATERAL (SELECT jsonb_agg(a.attname) AS info FROM pg_catalog.pg_attribute a WHERE a.attrelid = r.oid AND a.attnum = ANY (x.indkey)) AS cols ON true
    WHERE x.indrelid = r.oid AND x.indisprimary) p ON true
WHERE r.relkind IN ('r', 't', 'v', 'm', 'f', 'p') AND r.table_schema NOT LIKE 'pg_%' AND r.table_schema NOT IN ('information_schema', 'hdb_catalog')
-- next
-- step: a GraphQL query with an object relationship
-- params: ["CN"]
SELECT coalesce(json_agg("root"), '[]') AS "root" FROM (
  SELECT row_to_json((SELECT "_e" FROM (SELECT "_c"."name" AS "name", "_orders"."orders" AS "orders") AS "_e")) AS "root"
  FROM (SELECT * FROM "public"."customers" WHERE (("public"."customers"."country") = ($1))) AS "_c"
  LEFT OUTER JOIN LATERAL (
    SELECT coalesce(json_agg("o" ORDER BY "line"), '[]') AS "orders" FROM (
      SELECT row_to_json((SELECT "_e" FROM (SELECT "_o"."product" AS "product") AS "_e")) AS "o", "_o"."line" AS "line"
      FROM (SELECT * FROM "public"."orders" WHERE (("_c"."customer_id") = ("customer_id")) LIMIT 5) AS "_o") AS "_x") AS "_orders" ON ('true')
) AS "_r"
