-- client: sigma, restated
-- source: github.com/cube-js/cube, rust/cubesql/cubesql/src/compile/test/test_introspection.rs
-- step: schemas
select distinct table_schema from information_schema.tables where table_type IN ('BASE TABLE', 'VIEW', 'FOREIGN', 'FOREIGN TABLE') and table_schema NOT IN ('pg_catalog', 'information_schema') and table_schema ilike '%'
-- next
-- step: relations
SELECT table_name FROM (select table_name from information_schema.tables where table_type IN ('BASE TABLE', 'VIEW', 'FOREIGN', 'FOREIGN TABLE') and table_schema = 'public' UNION select matviewname as table_name from pg_catalog.pg_matviews where schemaname = 'public') t ORDER BY table_name ASC
-- next
-- step: foreign keys
select c.relname as "source_table",
    array(select (select attname::text from pg_attribute where attrelid = k.conrelid and attnum = k.conkey[i]) from generate_series(array_lower(k.conkey, 1), array_upper(k.conkey, 1)) i) as "source_keys",
    (select nspname from pg_namespace n2 join pg_class c2 on n2.oid = c2.relnamespace where c2.oid = k.confrelid) as "target_schema",
    (select relname from pg_class where oid = k.confrelid) as "target_table"
from pg_class c join pg_namespace n on c.relnamespace = n.oid join pg_constraint k on k.conrelid = c.oid
where n.nspname = 'public' and c.relname >= 'A' and c.relname <= 'z' and k.contype in ('f', 'p')
order by "source_table", k.conname
-- next
-- step: columns
with ns as (select oid from pg_catalog.pg_namespace where nspname = 'public'),
rel as (select oid from pg_catalog.pg_class where relname = 'orders' and relnamespace = (select oid from ns))
select attname, typname, description from pg_attribute a join pg_type on atttypid = pg_type.oid left join pg_description on attrelid = objoid and attnum = objsubid
where attnum > 0 and attrelid = (select oid from rel) order by attnum
-- next
-- step: primary key
with ns as (select oid as relnamespace from pg_catalog.pg_namespace where nspname = 'public'),
rel as (select ns.relnamespace as connamespace, r.oid as conrelid from pg_catalog.pg_class r inner join ns using (relnamespace) where relname = 'orders'),
k as (select conrelid, conkey from pg_catalog.pg_constraint inner join rel using (connamespace, conrelid) where contype = 'p')
select attname from pg_catalog.pg_attribute a inner join k on conrelid = attrelid and attnum = any(k.conkey) order by attnum
