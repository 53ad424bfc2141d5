-- client: metabase 0.56, restated
-- source: github.com/metabase/metabase, src/metabase/driver/postgres.clj; what its driver pgjdbc adds is in pgjdbc.sql
-- step: connect
show timezone;
-- next
-- step: connect
-- params: []
SELECT 1
-- next
-- step: session
SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY
-- next
-- step: session
SET SESSION TIMEZONE TO 'Asia/Shanghai'
-- next
-- step: database name of version 0.62
SELECT current_catalog
-- next
-- step: schemas
SELECT nspname AS "TABLE_SCHEM", NULL AS "TABLE_CATALOG" FROM pg_catalog.pg_namespace WHERE nspname <> 'pg_toast' AND (nspname !~ '^pg_temp_' OR nspname = (pg_catalog.current_schemas(true))[1]) ORDER BY "TABLE_SCHEM"
-- next
-- step: enums
-- params: []
SELECT n.nspname, t.typname FROM pg_type t JOIN pg_namespace n ON t.typnamespace = n.oid WHERE t.oid IN (SELECT DISTINCT enumtypid FROM pg_enum e)
-- next
-- step: relations
-- params: ["public", "crm"]
SELECT "ns"."nspname" AS "schema", "rel"."relname" AS "name",
  CASE "rel"."relkind" WHEN 'r' THEN 'TABLE' WHEN 'p' THEN 'PARTITIONED TABLE' WHEN 'v' THEN 'VIEW' WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE NULL END AS "type",
  "de"."description" AS "description", "live"."n_live_tup" AS "estimated_row_count"
FROM "pg_catalog"."pg_class" AS "rel"
INNER JOIN "pg_catalog"."pg_namespace" AS "ns" ON "rel"."relnamespace" = "ns"."oid"
LEFT JOIN "pg_catalog"."pg_description" AS "de" ON ("rel"."oid" = "de"."objoid") AND ("de"."objsubid" = 0) AND ("de"."classoid" = 'pg_class'::regclass)
LEFT JOIN "pg_stat_user_tables" AS "live" ON ("ns"."nspname" = "live"."schemaname") AND ("rel"."relname" = "live"."relname")
WHERE ("rel"."relnamespace" = "ns"."oid") AND ("ns"."nspname" !~ '^pg_') AND ("ns"."nspname" <> 'information_schema') AND rel.relkind in ('r', 'p', 'v', 'f', 'm') AND ("ns"."nspname" IN ($1, $2))
ORDER BY "type" ASC, "schema" ASC, "name" ASC
-- next
-- step: columns
-- params: ["public"]
SELECT "k"."column_name" AS "name",
  CASE WHEN "k"."udt_schema" IN ('public', 'pg_catalog') THEN FORMAT('%s', "k"."udt_name") ELSE FORMAT('"%s"."%s"', "k"."udt_schema", "k"."udt_name") END AS "database-type",
  "k"."ordinal_position" - 1 AS "database-position", "k"."table_schema" AS "table-schema", "k"."table_name" AS "table-name",
  "key"."column_name" IS NOT NULL AS "pk?",
  COL_DESCRIPTION(CAST(CAST(FORMAT('%I.%I', CAST("k"."table_schema" AS TEXT), CAST("k"."table_name" AS TEXT)) AS REGCLASS) AS OID), "k"."ordinal_position") AS "field-comment",
  (("column_default" IS NULL) OR (LOWER("column_default") = 'null')) AND ("is_nullable" = 'NO') AND NOT ((("column_default" IS NOT NULL) AND ("column_default" LIKE '%nextval(%')) OR ("is_identity" <> 'NO')) AS "database-required",
  (("column_default" IS NOT NULL) AND ("column_default" LIKE '%nextval(%')) OR ("is_identity" <> 'NO') AS "database-is-auto-increment"
FROM "information_schema"."columns" AS "k"
LEFT JOIN (SELECT "tc"."table_schema", "tc"."table_name", "kc"."column_name"
  FROM "information_schema"."table_constraints" AS "tc"
  INNER JOIN "information_schema"."key_column_usage" AS "kc" ON ("tc"."constraint_name" = "kc"."constraint_name") AND ("tc"."table_schema" = "kc"."table_schema") AND ("tc"."table_name" = "kc"."table_name")
  WHERE "tc"."constraint_type" = 'PRIMARY KEY') AS "key"
  ON ("k"."table_schema" = "key"."table_schema") AND ("k"."table_name" = "key"."table_name") AND ("k"."column_name" = "key"."column_name")
WHERE k.table_schema !~ '^information_schema|catalog_history|pg_' AND ("k"."table_schema" IN ($1))
UNION ALL
SELECT "at"."attname" AS "name",
  CASE WHEN "tn"."nspname" IN ('public', 'pg_catalog') THEN FORMAT('%s', "ty"."typname") ELSE FORMAT('"%s"."%s"', "tn"."nspname", "ty"."typname") END AS "database-type",
  "at"."attnum" - 1 AS "database-position", "ns"."nspname" AS "table-schema", "rel"."relname" AS "table-name",
  FALSE AS "pk?", NULL AS "field-comment", FALSE AS "database-required", FALSE AS "database-is-auto-increment"
FROM "pg_catalog"."pg_class" AS "rel"
INNER JOIN "pg_catalog"."pg_namespace" AS "ns" ON "ns"."oid" = "rel"."relnamespace"
INNER JOIN "pg_catalog"."pg_attribute" AS "at" ON "at"."attrelid" = "rel"."oid"
INNER JOIN "pg_catalog"."pg_type" AS "ty" ON "ty"."oid" = "at"."atttypid"
INNER JOIN "pg_catalog"."pg_namespace" AS "tn" ON "tn"."oid" = "ty"."typnamespace"
WHERE ("rel"."relkind" = 'm') AND ("at"."attnum" >= 1)
ORDER BY "table-schema" ASC, "table-name" ASC, "database-position" ASC
-- next
-- step: foreign keys
-- params: []
SELECT "fs"."nspname" AS "fk-table-schema", "ft"."relname" AS "fk-table-name", "fc"."attname" AS "fk-column-name", "ps"."nspname" AS "pk-table-schema", "pt"."relname" AS "pk-table-name", "pc"."attname" AS "pk-column-name"
FROM "pg_constraint" AS "k"
INNER JOIN "pg_class" AS "ft" ON "k"."conrelid" = "ft"."oid"
INNER JOIN "pg_namespace" AS "fs" ON "k"."connamespace" = "fs"."oid"
INNER JOIN "pg_attribute" AS "fc" ON "k"."conrelid" = "fc"."attrelid"
INNER JOIN "pg_class" AS "pt" ON "k"."confrelid" = "pt"."oid"
INNER JOIN "pg_namespace" AS "ps" ON "pt"."relnamespace" = "ps"."oid"
INNER JOIN "pg_attribute" AS "pc" ON "k"."confrelid" = "pc"."attrelid"
WHERE fs.nspname !~ '^information_schema|catalog_history|pg_' AND ("k"."contype" = 'f'::char) AND ("fc"."attnum" = ANY(k.conkey)) AND ("pc"."attnum" = ANY(k.confkey))
ORDER BY "fk-table-schema" ASC, "fk-table-name" ASC
-- next
-- step: indexes
-- params: []
SELECT "x"."table-schema", "x"."table-name", TRIM(BOTH '"' FROM pg_catalog.pg_get_indexdef("x"."ci_oid", "x"."pos", FALSE)) AS "field-name"
FROM (SELECT "n"."nspname" AS "table-schema", "ct"."relname" AS "table-name", "ci"."oid" AS "ci_oid", (information_schema._pg_expandarray("i"."indkey")).n AS "pos"
  FROM "pg_catalog"."pg_class" AS "ct"
  INNER JOIN "pg_catalog"."pg_namespace" AS "n" ON "ct"."relnamespace" = "n"."oid"
  INNER JOIN "pg_catalog"."pg_index" AS "i" ON "ct"."oid" = "i"."indrelid"
  INNER JOIN "pg_catalog"."pg_class" AS "ci" ON "ci"."oid" = "i"."indexrelid"
  WHERE (pg_catalog.pg_get_expr("i"."indpred", "i"."indrelid") IS NULL) AND n.nspname !~ '^information_schema|catalog_history|pg_') AS "x"
WHERE "x"."pos" = 1
-- next
-- step: privileges
-- params: []
with privileges as (
  select NULL as role, t.schemaname as schema, t.objectname as table,
    pg_catalog.has_any_column_privilege(current_user, '"' || replace(t.schemaname, '"', '""') || '"' || '.' || '"' || replace(t.objectname, '"', '""') || '"', 'update') as update,
    pg_catalog.has_any_column_privilege(current_user, '"' || replace(t.schemaname, '"', '""') || '"' || '.' || '"' || replace(t.objectname, '"', '""') || '"', 'select') as select,
    pg_catalog.has_any_column_privilege(current_user, '"' || replace(t.schemaname, '"', '""') || '"' || '.' || '"' || replace(t.objectname, '"', '""') || '"', 'insert') as insert,
    pg_catalog.has_table_privilege(current_user, '"' || replace(t.schemaname, '"', '""') || '"' || '.' || '"' || replace(t.objectname, '"', '""') || '"', 'delete') as delete
  from (
    select schemaname, tablename as objectname from pg_catalog.pg_tables
    union
    select schemaname, viewname as objectname from pg_catalog.pg_views
    union
    select schemaname, matviewname as objectname from pg_catalog.pg_matviews
  ) t
  where t.schemaname !~ '^pg_' and t.schemaname <> 'information_schema'
    and pg_catalog.has_schema_privilege(current_user, t.schemaname, 'usage')
)
select t.* from privileges t
-- next
-- step: may a relation be read
-- params: []
SELECT TRUE AS "_" FROM "public"."orders" WHERE 1 <> 1 LIMIT 0
-- next
-- step: fingerprint of a table
SELECT SUBSTRING("public"."customers"."name", 1, 1234) AS "substring100", "public"."customers"."email" AS "email", "public"."customers"."score" AS "score" FROM "public"."customers" LIMIT 10000
-- next
-- step: values of a field
SELECT "public"."orders"."category" AS "category" FROM "public"."orders" GROUP BY "public"."orders"."category" ORDER BY "public"."orders"."category" ASC LIMIT 1001
-- next
-- step: question: sum by month
SELECT CAST(DATE_TRUNC('month', "public"."orders"."ordered_at") AS DATE) AS "ordered_at", SUM("public"."orders"."amount") AS "sum" FROM "public"."orders"
WHERE ("public"."orders"."ordered_at" >= DATE_TRUNC('year', (TIMESTAMPTZ '2026-02-01 00:00:00+00' + INTERVAL '-1 year'))) AND ("public"."orders"."ordered_at" < DATE_TRUNC('month', TIMESTAMPTZ '2027-01-01 00:00:00+00'))
GROUP BY CAST(DATE_TRUNC('month', "public"."orders"."ordered_at") AS DATE) ORDER BY CAST(DATE_TRUNC('month', "public"."orders"."ordered_at") AS DATE) ASC
-- next
-- step: question: week, hour of day, quarter of year
SELECT (CAST(DATE_TRUNC('week', ("public"."orders"."ordered_at" + INTERVAL '1 day')) AS timestamptz) + INTERVAL '-1 day') AS "week", CAST(extract(hour from "public"."orders"."ordered_at") AS integer) AS "hour", CAST(extract(quarter from "public"."orders"."ordered_at") AS integer) AS "quarter", COUNT(*) AS "count"
FROM "public"."orders" GROUP BY 1, 2, 3 ORDER BY 1 ASC, 2 ASC, 3 ASC
-- next
-- step: question: joined, filtered, top n
-- params: ["CN"]
SELECT "Customer"."segment" AS "Customer__segment", COUNT(DISTINCT "source"."customer_id") AS "count", AVG("source"."amount") AS "avg"
FROM (SELECT "public"."orders"."order_id" AS "order_id", "public"."orders"."customer_id" AS "customer_id", "public"."orders"."amount" AS "amount" FROM "public"."orders") AS "source"
LEFT JOIN "public"."customers" AS "Customer" ON "source"."customer_id" = "Customer"."customer_id"
WHERE "Customer"."country" = $1
GROUP BY "Customer"."segment" ORDER BY "count" DESC, "Customer"."segment" ASC LIMIT 2000
-- next
-- step: question: bins, median, percentile
SELECT FLOOR(("public"."customers"."score" / 2.5)) * 2.5 AS "score", COUNT(*) AS "count", percentile_cont(0.5) within group (order by "public"."customers"."score") AS "median" FROM "public"."customers" GROUP BY 1 ORDER BY 1 ASC
-- next
-- step: question: field of a JSON document
SELECT ("public"."orders"."attributes"#>> array['channel'])::text AS "attributes -> channel", COUNT(*) AS "count" FROM "public"."orders" GROUP BY 1 ORDER BY 1 ASC
-- next
-- step: question: text filters
-- params: ["%e%", "li%"]
SELECT "public"."customers"."name" AS "name" FROM "public"."customers" WHERE (LOWER("public"."customers"."name") LIKE $1) OR (("public"."customers"."email" LIKE $2) OR ("public"."customers"."email" IS NULL)) LIMIT 1048575
