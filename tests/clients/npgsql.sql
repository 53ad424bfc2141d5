-- client: npgsql 9 and Power BI, restated
-- source: github.com/npgsql/npgsql, src/Npgsql/PostgresDatabaseInfo.cs and NpgsqlSchema.cs
-- step: connect: version, types, composite fields and enum labels as one simple query
SELECT version();
SELECT s.nspname, x.oid, x.typname, x.typtype, x.typnotnull, x.elemtypoid
FROM (
    SELECT i.oid, i.typnamespace, i.typname, i.typtype, i.typrelid, i.typnotnull, i.relkind,
        e.oid AS elemtypoid, e.typname AS elemtypname, ec.relkind AS elemrelkind,
        CASE WHEN ep.proname = 'array_recv' THEN 'a' ELSE e.typtype END AS elemtyptype
    FROM (
        SELECT t.oid, typnamespace, typname, typrelid, typnotnull, relkind, typelem AS elemoid,
            CASE WHEN p.proname = 'array_recv' THEN 'a' ELSE t.typtype END AS typtype,
            CASE
                WHEN p.proname = 'array_recv' THEN t.typelem
                WHEN t.typtype = 'r' THEN rngsubtype
                WHEN t.typtype = 'm' THEN (SELECT rngtypid FROM pg_range WHERE rngmultitypid = t.oid)
                WHEN t.typtype = 'd' THEN t.typbasetype
            END AS elemtypoid
        FROM pg_type AS t
        LEFT JOIN pg_class AS c ON (c.oid = t.typrelid)
        LEFT JOIN pg_proc AS p ON p.oid = t.typreceive
        LEFT JOIN pg_range ON (pg_range.rngtypid = t.oid)
    ) AS i
    LEFT JOIN pg_type AS e ON e.oid = elemtypoid
    LEFT JOIN pg_class AS ec ON (ec.oid = e.typrelid)
    LEFT JOIN pg_proc AS ep ON ep.oid = e.typreceive
) AS x
JOIN pg_namespace AS s ON (s.oid = typnamespace)
WHERE
    typtype IN ('b', 'r', 'm', 'e', 'd') OR
    (typtype = 'c' AND relkind = 'c') OR
    (typtype = 'p' AND typname IN ('record', 'void')) OR
    (typtype = 'a' AND (
        elemtyptype IN ('b', 'r', 'm', 'e', 'd') OR
        (elemtyptype = 'p' AND elemtypname IN ('record', 'void')) OR
        (elemtyptype = 'c' AND elemrelkind = 'c')
    ))
ORDER BY CASE
    WHEN typtype IN ('b', 'e', 'p') THEN 0
    WHEN typtype = 'r' THEN 1
    WHEN typtype = 'm' THEN 2
    WHEN typtype = 'c' THEN 3
    WHEN typtype = 'd' AND elemtyptype <> 'a' THEN 4
    WHEN typtype = 'a' THEN 5
    WHEN typtype = 'd' AND elemtyptype = 'a' THEN 6
END;
SELECT t.oid, a.attname, a.atttypid
FROM pg_type AS t
JOIN pg_namespace AS n ON (n.oid = t.typnamespace)
JOIN pg_class AS c ON (c.oid = t.typrelid)
JOIN pg_attribute AS a ON (a.attrelid = t.typrelid)
WHERE (t.typtype = 'c' AND c.relkind = 'c') AND attnum > 0 AND NOT attisdropped
ORDER BY t.oid, a.attnum;
SELECT pg_type.oid, enumlabel
FROM pg_enum
JOIN pg_type ON pg_type.oid = enumtypid
ORDER BY oid, enumsortorder;
-- next
-- step: types, as version 4 (Power BI Desktop) asks
/*** types ***/
SELECT n.nspname, t.typname, t.oid, t.typrelid, t.typbasetype,
CASE WHEN pg_proc.proname = 'array_recv' THEN 'a' ELSE t.typtype END AS type,
CASE
  WHEN pg_proc.proname = 'array_recv' THEN t.typelem
  WHEN t.typtype = 'r' THEN rngsubtype
  ELSE 0
END AS elemoid,
CASE
  WHEN pg_proc.proname IN ('array_recv', 'oidvectorrecv') THEN 3
  WHEN t.typtype = 'r' THEN 2
  WHEN t.typtype = 'd' THEN 1
  ELSE 0
END AS ord
FROM pg_type AS t
JOIN pg_namespace AS n ON (n.oid = t.typnamespace)
JOIN pg_proc ON pg_proc.oid = t.typreceive
LEFT OUTER JOIN pg_class AS c ON (c.oid = t.typrelid)
LEFT OUTER JOIN pg_type AS e ON (e.oid = t.typelem)
LEFT OUTER JOIN pg_class AS ec ON (ec.oid = e.typrelid)
LEFT OUTER JOIN pg_range ON (pg_range.rngtypid = t.oid)
WHERE
  t.typtype IN ('b', 'r', 'e', 'd') OR
  (t.typtype = 'c' AND c.relkind = 'c') OR
  (pg_proc.proname = 'array_recv' AND (
    e.typtype IN ('b', 'r', 'e', 'd') OR
    (e.typtype = 'p' AND e.typname IN ('record', 'void')) OR
    (e.typtype = 'c' AND ec.relkind = 'c')
  )) OR
  (t.typtype = 'p' AND t.typname IN ('record', 'void'))
ORDER BY ord
-- next
-- step: reset of a pooled connection
DISCARD ALL
-- next
-- step: reset of a pooled connection that has prepared statements
CLOSE ALL;
UNLISTEN *;
SELECT pg_advisory_unlock_all();
DISCARD SEQUENCES;
DISCARD TEMP
-- next
-- step: reset, the rest
SET SESSION AUTHORIZATION DEFAULT;RESET ALL
-- next
-- step: navigator: relations
select TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE
from INFORMATION_SCHEMA.tables
where TABLE_SCHEMA not in ('information_schema', 'pg_catalog')
order by TABLE_SCHEMA, TABLE_NAME
-- next
-- step: navigator: columns of a relation
select COLUMN_NAME, ORDINAL_POSITION, IS_NULLABLE, case when (data_type like '%unsigned%') then DATA_TYPE || ' unsigned' else DATA_TYPE end as DATA_TYPE
from INFORMATION_SCHEMA.columns
where TABLE_SCHEMA = 'public' and TABLE_NAME = 'orders'
order by TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION
-- next
-- step: navigator: keys and unique constraints
select
    k.CONSTRAINT_SCHEMA || '_' || k.CONSTRAINT_NAME as INDEX_NAME,
    u.COLUMN_NAME,
    u.ORDINAL_POSITION,
    case when k.CONSTRAINT_TYPE = 'PRIMARY KEY' then 'Y' else 'N' end as PRIMARY_KEY
from INFORMATION_SCHEMA.table_constraints k
inner join INFORMATION_SCHEMA.key_column_usage u on
    k.CONSTRAINT_SCHEMA = u.CONSTRAINT_SCHEMA and k.CONSTRAINT_NAME = u.CONSTRAINT_NAME and
    k.TABLE_SCHEMA = u.TABLE_SCHEMA and k.TABLE_NAME = u.TABLE_NAME
where k.TABLE_SCHEMA = 'public' and k.TABLE_NAME = 'orders' and k.CONSTRAINT_TYPE in ('PRIMARY KEY', 'UNIQUE')
order by k.CONSTRAINT_SCHEMA || '_' || k.CONSTRAINT_NAME, u.TABLE_SCHEMA, u.TABLE_NAME, u.ORDINAL_POSITION
-- next
-- step: navigator: keys that refer to a relation
select
    p.COLUMN_NAME as PK_COLUMN_NAME,
    f.TABLE_SCHEMA AS FK_TABLE_SCHEMA,
    f.TABLE_NAME AS FK_TABLE_NAME,
    f.COLUMN_NAME as FK_COLUMN_NAME,
    f.ORDINAL_POSITION as ORDINAL,
    r.CONSTRAINT_SCHEMA || '_' || f.TABLE_NAME || '_' || 'customers' || '_' || r.CONSTRAINT_NAME as FK_NAME
from
    (select distinct constraint_catalog, constraint_schema, unique_constraint_schema, constraint_name, unique_constraint_name
     from INFORMATION_SCHEMA.REFERENTIAL_CONSTRAINTS) r
    inner join INFORMATION_SCHEMA.KEY_COLUMN_USAGE f
        on r.CONSTRAINT_SCHEMA = f.CONSTRAINT_SCHEMA and r.CONSTRAINT_NAME = f.CONSTRAINT_NAME
    inner join INFORMATION_SCHEMA.KEY_COLUMN_USAGE p
        on r.UNIQUE_CONSTRAINT_SCHEMA = p.CONSTRAINT_SCHEMA and r.UNIQUE_CONSTRAINT_NAME = p.CONSTRAINT_NAME
where p.TABLE_SCHEMA = 'public' and p.TABLE_NAME = 'customers' and p.ORDINAL_POSITION = f.ORDINAL_POSITION
order by FK_NAME, f.ORDINAL_POSITION
-- next
-- step: GetSchema: databases and users
SELECT d.datname AS database_name, u.usename AS owner, pg_catalog.pg_encoding_to_char(d.encoding) AS encoding
FROM pg_catalog.pg_database d LEFT JOIN pg_catalog.pg_user u ON d.datdba = u.usesysid
-- next
-- step: GetSchema: indexes
SELECT current_database() AS table_catalog, n.nspname AS table_schema, t.relname AS table_name, i.relname AS index_name, '' AS type_desc
FROM pg_catalog.pg_class i
JOIN pg_catalog.pg_index ix ON ix.indexrelid = i.oid
JOIN pg_catalog.pg_class t ON ix.indrelid = t.oid
LEFT JOIN pg_catalog.pg_user u ON u.usesysid = i.relowner
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = i.relnamespace
WHERE i.relkind = 'i' AND n.nspname NOT IN ('pg_catalog', 'pg_toast') AND t.relkind = 'r'
-- next
-- step: GetColumnSchema of a result
-- params: []
SELECT
    typ.oid AS typoid, nspname, relname, attname, attrelid, attnum, attnotnull, attidentity != '' AS isidentity,
    CASE WHEN typ.typtype = 'd' THEN typ.typtypmod ELSE atttypmod END AS typmod,
    CASE WHEN atthasdef THEN (SELECT pg_get_expr(adbin, cls.oid) FROM pg_attrdef WHERE adrelid = cls.oid AND adnum = attr.attnum) ELSE NULL END AS "default",
    CASE WHEN ((cls.relkind = ANY (ARRAY['r'::"char", 'p'::"char"]))
               OR ((cls.relkind = ANY (ARRAY['v'::"char", 'f'::"char"])) AND pg_column_is_updatable((cls.oid)::regclass, attr.attnum, false)))
              AND attr.attidentity NOT IN ('a') THEN 'true'::boolean ELSE 'false'::boolean END AS is_updatable,
    EXISTS (SELECT * FROM pg_index WHERE pg_index.indrelid = cls.oid AND pg_index.indisprimary AND attnum = ANY (indkey)) AS isprimarykey,
    EXISTS (SELECT * FROM pg_index WHERE pg_index.indrelid = cls.oid AND pg_index.indisunique AND pg_index.indnkeyatts = 1 AND attnum = pg_index.indkey[0]) AS isunique
FROM pg_attribute AS attr
JOIN pg_type AS typ ON attr.atttypid = typ.oid
JOIN pg_class AS cls ON cls.oid = attr.attrelid
JOIN pg_namespace AS ns ON ns.oid = cls.relnamespace
WHERE
    atttypid <> 0 AND relkind IN ('r', 'v', 'm') AND NOT attisdropped AND nspname NOT IN ('pg_catalog', 'information_schema') AND attnum > 0 AND
    ((attr.attrelid = {class public.customers} AND attr.attnum = 1) OR (attr.attrelid = {class public.customers} AND attr.attnum = 2))
ORDER BY attnum
-- next
-- step: Power BI: preview of a table
select "$Table"."customer_id" as "customer_id", "$Table"."name" as "name", "$Table"."score" as "score"
from "public"."customers" "$Table"
limit 1000
-- next
-- step: Power BI: DirectQuery of a chart
select "rows"."category" as "category", sum(cast("rows"."amount" as decimal)) as "a0", count("rows"."order_id") as "a1"
from ( select "_"."category", "_"."amount", "_"."order_id" from "public"."orders" "_" where "_"."ordered_at" >= timestamp '2026-01-01 00:00:00' and "_"."category" is not null ) "rows"
group by "category"
limit 1000001
