-- client: tableau 2023 to 2025, restated
-- source: github.com/cube-js/cube, rust/cubesql/cubesql/src/compile/test/test_introspection.rs; github.com/risingwavelabs/risingwave/issues/10459; github.com/crate/crate/issues/10212
-- step: connect through ODBC
SET DateStyle = 'ISO';SET extra_float_digits = 2;show transaction_isolation
-- next
-- step: connect
SET client_min_messages TO 'warning'
-- next
-- step: connect
select oid, typbasetype from pg_type where typname = 'lo'
-- next
-- step: connect
SET TIME ZONE 'UTC'
-- next
-- step: connect
SELECT current_database(), current_schema(), session_user
-- next
-- step: probe of temporary tables
CREATE LOCAL TEMPORARY TABLE "#Tableau_1_Connect" ("COL" INTEGER) ON COMMIT PRESERVE ROWS
-- next
-- step: probe of temporary tables
INSERT INTO "#Tableau_1_Connect" ("COL") VALUES (1)
-- next
-- step: probe of temporary tables
SELECT "COL" FROM (SELECT 1 AS "COL") AS "SUBQUERY" LIMIT 1
-- next
-- step: probe of temporary tables
SELECT "COL" INTO TEMPORARY "#Tableau_2_Connect" FROM (SELECT 1 AS "COL") AS "CHECKTEMP" LIMIT 1
-- next
-- step: probe of temporary tables
DROP TABLE "#Tableau_2_Connect"
-- next
-- step: probe of temporary tables
DROP TABLE "#Tableau_1_Connect"
-- next
-- step: relations, Tableau Desktop
select relname, nspname, relkind
from pg_catalog.pg_class c, pg_catalog.pg_namespace n
where relkind in ('r', 'v', 'm', 'f') and nspname not in ('pg_catalog', 'information_schema', 'pg_toast', 'pg_temp_1') and n.oid = relnamespace
order by nspname, relname
-- next
-- step: columns, Tableau Desktop
select n.nspname, c.relname, a.attname, a.atttypid, t.typname, a.attnum, a.attlen, a.atttypmod, a.attnotnull, c.relhasrules, c.relkind, c.oid,
    pg_get_expr(d.adbin, d.adrelid), case t.typtype when 'd' then t.typbasetype else 0 end, t.typtypmod, 0
from (((pg_catalog.pg_class c inner join pg_catalog.pg_namespace n on n.oid = c.relnamespace and c.oid = {class public.orders})
    inner join pg_catalog.pg_attribute a on (not a.attisdropped) and a.attnum > 0 and a.attrelid = c.oid)
    inner join pg_catalog.pg_type t on t.oid = a.atttypid)
    left outer join pg_attrdef d on a.atthasdef and d.adrelid = a.attrelid and d.adnum = a.attnum
order by n.nspname, c.relname, attnum
-- next
-- step: primary key, Tableau Desktop
SELECT ta.attname, ia.attnum, ic.relname, n.nspname, tc.relname
FROM pg_catalog.pg_attribute ta, pg_catalog.pg_attribute ia, pg_catalog.pg_class tc, pg_catalog.pg_index i, pg_catalog.pg_namespace n, pg_catalog.pg_class ic
WHERE tc.relname = 'orders' AND n.nspname = 'public' AND tc.oid = i.indrelid AND n.oid = tc.relnamespace AND i.indisprimary = 't'
    AND ia.attrelid = i.indexrelid AND ta.attrelid = i.indrelid AND ta.attnum = i.indkey[ia.attnum - 1]
    AND (NOT ta.attisdropped) AND (NOT ia.attisdropped) AND ic.oid = i.indexrelid
ORDER BY ia.attnum
-- next
-- step: foreign keys, Tableau Desktop
select 'voxhouse'::name as PKTABLE_CAT, n2.nspname as PKTABLE_SCHEM, c2.relname as PKTABLE_NAME, a2.attname as PKCOLUMN_NAME,
    'voxhouse'::name as FKTABLE_CAT, n1.nspname as FKTABLE_SCHEM, c1.relname as FKTABLE_NAME, a1.attname as FKCOLUMN_NAME,
    i::int2 as KEY_SEQ,
    case ref.confupdtype when 'c' then 0::int2 when 'n' then 2::int2 when 'd' then 4::int2 when 'r' then 1::int2 else 3::int2 end as UPDATE_RULE,
    ref.conname as FK_NAME, cn.conname as PK_NAME,
    case when ref.condeferrable then case when ref.condeferred then 5::int2 else 6::int2 end else 7::int2 end as DEFERRABLITY
from (((((((select k.oid, conrelid, conkey, confrelid, confkey, generate_series(array_lower(conkey, 1), array_upper(conkey, 1)) as i,
        confupdtype, confdeltype, conname, condeferrable, condeferred
    from pg_catalog.pg_constraint k, pg_catalog.pg_class c, pg_catalog.pg_namespace n
    where contype = 'f' and conrelid = c.oid and relname = 'orders' and n.oid = c.relnamespace and n.nspname = 'public') ref
    inner join pg_catalog.pg_class c1 on c1.oid = ref.conrelid)
    inner join pg_catalog.pg_namespace n1 on n1.oid = c1.relnamespace)
    inner join pg_catalog.pg_attribute a1 on a1.attrelid = c1.oid and a1.attnum = conkey[i])
    inner join pg_catalog.pg_class c2 on c2.oid = ref.confrelid)
    inner join pg_catalog.pg_namespace n2 on n2.oid = c2.relnamespace)
    inner join pg_catalog.pg_attribute a2 on a2.attrelid = c2.oid and a2.attnum = confkey[i])
    left outer join pg_catalog.pg_constraint cn on cn.conrelid = ref.confrelid and cn.contype = 'p'
order by ref.oid, ref.i
-- next
-- step: key columns through JDBC
SELECT r.TABLE_CAT, r.TABLE_SCHEM, r.TABLE_NAME, r.COLUMN_NAME, r.KEY_SEQ, r.PK_NAME
FROM (SELECT NULL AS TABLE_CAT, n.nspname AS TABLE_SCHEM, ct.relname AS TABLE_NAME, a.attname AS COLUMN_NAME,
        (information_schema._pg_expandarray(i.indkey)).n AS KEY_SEQ, ci.relname AS PK_NAME,
        information_schema._pg_expandarray(i.indkey) AS KEYS, a.attnum AS A_ATTNUM
    FROM pg_catalog.pg_class ct
    JOIN pg_catalog.pg_attribute a ON (ct.oid = a.attrelid)
    JOIN pg_catalog.pg_namespace n ON (ct.relnamespace = n.oid)
    JOIN pg_catalog.pg_index i ON (a.attrelid = i.indrelid)
    JOIN pg_catalog.pg_class ci ON (ci.oid = i.indexrelid)
    WHERE true AND n.nspname = 'public' AND ct.relname = 'orders' AND i.indisprimary) r
WHERE r.A_ATTNUM = (r.KEYS).x
ORDER BY r.table_name, r.pk_name, r.key_seq
-- next
-- step: first rows
BEGIN;declare "SQL_CUR0x7fd83880dc00" cursor with hold for SELECT "orders"."category" AS "category", "orders"."amount" AS "amount", "orders"."ordered_at" AS "ordered_at"
FROM "public"."orders" "orders"
LIMIT 1000;fetch 100 in "SQL_CUR0x7fd83880dc00"
-- next
-- step: first rows
fetch 100 in "SQL_CUR0x7fd83880dc00"
-- next
-- step: first rows
close "SQL_CUR0x7fd83880dc00";commit
-- next
-- step: a chart by month
SELECT "orders"."category" AS "category",
  SUM("orders"."amount") AS "sum:amount:ok",
  DATE_TRUNC( 'MONTH', CAST("orders"."ordered_at" AS TIMESTAMP WITHOUT TIME ZONE) ) AS "tmn:ordered_at:ok"
FROM "public"."orders" "orders"
WHERE (("orders"."category" IN ('kitchen', 'living')) OR ("orders"."category" IS NULL))
GROUP BY 1,
  3
-- next
-- step: a chart by quarter and day of the week
SELECT CAST(TRUNC(EXTRACT(YEAR FROM "orders"."ordered_at")) AS INTEGER) AS "yr:ordered_at:ok",
  CAST(TRUNC(EXTRACT(QUARTER FROM "orders"."ordered_at")) AS INTEGER) AS "qr:ordered_at:ok",
  (1 + CAST(EXTRACT(DOW FROM "orders"."ordered_at") AS INTEGER)) AS "dow",
  COUNT(DISTINCT "orders"."customer_id") AS "ctd:customer_id:ok",
  AVG(CAST("orders"."quantity" AS DOUBLE PRECISION)) AS "avg:quantity:ok"
FROM "public"."orders" "orders"
WHERE ((NOT ("orders"."ordered_at" IS NULL)) AND ("orders"."ordered_at" >= (TIMESTAMP '2026-01-01 00:00:00.000')) AND ("orders"."ordered_at" <= (TIMESTAMP '2026-12-31 23:59:59.999')))
GROUP BY 1,
  2,
  3
-- next
-- step: top n through a join with a subquery
SELECT "customers"."name" AS "name", SUM("orders"."amount") AS "sum:amount:ok"
FROM "public"."orders" "orders"
  INNER JOIN "public"."customers" "customers" ON ("orders"."customer_id" = "customers"."customer_id")
  INNER JOIN (
  SELECT "customers"."name" AS "name", SUM("orders"."amount") AS "$__alias__0"
  FROM "public"."orders" "orders" INNER JOIN "public"."customers" "customers" ON ("orders"."customer_id" = "customers"."customer_id")
  GROUP BY 1
  ORDER BY 2 DESC
  LIMIT 10
) "t0" ON ("customers"."name" = "t0"."name")
GROUP BY 1
-- next
-- step: a filter's values
SELECT "orders"."category" AS "category" FROM "public"."orders" "orders" GROUP BY 1 ORDER BY 1 ASC
-- next
-- step: bins and case
SELECT FLOOR("customers"."score" / 2.0) * 2 AS "bin", SUM(1) AS "cnt:customers:ok",
  MIN((CASE WHEN ("customers"."active" = TRUE) THEN 'yes' WHEN NOT ("customers"."active" = TRUE) THEN 'no' ELSE NULL END)) AS "label"
FROM "public"."customers" "customers"
WHERE ("customers"."name" LIKE '%e%')
GROUP BY 1
HAVING (COUNT(1) > 0)
