-- client: holistics, restated
-- source: github.com/cube-js/cube, rust/cubesql/cubesql/src/compile/test/test_introspection.rs
-- step: schemas
SELECT n.nspname AS schema_name FROM pg_namespace n WHERE n.nspname NOT LIKE 'pg_%' AND n.nspname <> 'information_schema' AND has_schema_privilege(n.nspname, 'USAGE'::text)
-- next
-- step: constraints
SELECT TRIM(c.conname) AS constraint_name, CASE c.contype WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' WHEN 'f' THEN 'FOREIGN KEY' END AS constraint_type, TRIM(cn.nspname) AS constraint_schema,
    TRIM(tc.relname) AS table_name, TRIM(ta.attname) AS column_name, TRIM(fc.relname) AS referenced_table_name, o.ord AS ordinal_position
FROM pg_constraint c
LEFT JOIN generate_series(1,1600) as o(ord) ON c.conkey[o.ord] IS NOT NULL
LEFT JOIN pg_attribute ta ON c.conrelid=ta.attrelid AND ta.attnum=c.conkey[o.ord]
LEFT JOIN pg_class tc ON ta.attrelid=tc.oid
LEFT JOIN pg_class fc ON c.confrelid=fc.oid
LEFT JOIN pg_namespace cn ON c.connamespace=cn.oid
WHERE CASE c.contype WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' WHEN 'f' THEN 'FOREIGN KEY' END IN ('UNIQUE', 'PRIMARY KEY', 'FOREIGN KEY') AND tc.relkind = 'r'
-- next
-- step: columns
SELECT n.nspname || '.' || c.relname AS "table_name", a.attname AS "column_name", format_type(a.atttypid, a.atttypmod) AS "data_type"
FROM pg_namespace n, pg_class c, pg_attribute a
WHERE n.oid = c.relnamespace AND c.oid = a.attrelid AND a.attnum > 0 AND NOT a.attisdropped
  AND c.relname IN (SELECT table_name FROM information_schema.tables WHERE (table_type = 'BASE TABLE' OR table_type = 'VIEW') AND table_schema NOT IN ('pg_catalog', 'information_schema') AND has_schema_privilege(table_schema, 'USAGE'::text))
