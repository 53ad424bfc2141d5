-- client: thoughtspot, restated
-- source: github.com/cube-js/cube, rust/cubesql/cubesql/src/compile/test/test_introspection.rs
-- step: columns
SELECT current_database() AS TABLE_CAT, n.nspname AS TABLE_SCHEM, c.relname AS TABLE_NAME, a.attname AS COLUMN_NAME,
    CAST(CASE typname WHEN 'text' THEN 12 WHEN 'bool' THEN - 7 WHEN 'varchar' THEN 12 WHEN 'bpchar' THEN 1 WHEN 'int8' THEN - 5 WHEN 'numeric' THEN 2 ELSE 1111 END AS SMALLINT) AS DATA_TYPE,
    t.typname AS TYPE_NAME,
    CASE typname WHEN 'int4' THEN 10 WHEN 'varchar' THEN atttypmod - 4 WHEN 'numeric' THEN (atttypmod - 4) >> 16 ELSE 2147483647 END AS COLUMN_SIZE,
    NULL AS BUFFER_LENGTH,
    CASE typname WHEN 'float8' THEN 17 WHEN 'numeric' THEN (atttypmod - 4) & 65535 ELSE 0 END AS DECIMAL_DIGITS,
    CASE a.attnotnull OR (t.typtype = 'd' AND t.typnotnull) WHEN 'false' THEN 1 WHEN NULL THEN 2 ELSE 0 END AS NULLABLE,
    d.description AS REMARKS, pg_catalog.pg_get_expr(f.adbin, f.adrelid) AS COLUMN_DEF,
    CAST(NULL AS SMALLINT) AS SQL_DATETIME_SUB,
    CASE WHEN left(pg_catalog.pg_get_expr(f.adbin, f.adrelid), 16) = 'default_identity' THEN 'YES' ELSE 'NO' END AS IS_AUTOINCREMENT
FROM pg_catalog.pg_namespace AS n
JOIN pg_catalog.pg_class AS c ON (c.relnamespace = n.oid)
JOIN pg_catalog.pg_attribute AS a ON (a.attrelid = c.oid)
JOIN pg_catalog.pg_type AS t ON (a.atttypid = t.oid)
LEFT JOIN pg_catalog.pg_attrdef AS f ON (a.attrelid = f.adrelid AND a.attnum = f.adnum)
LEFT JOIN pg_catalog.pg_description AS d ON (c.oid = d.objoid AND a.attnum = d.objsubid)
LEFT JOIN pg_catalog.pg_class AS dc ON (dc.oid = d.classoid AND dc.relname = 'pg_class')
WHERE a.attnum > 0 AND NOT a.attisdropped AND current_database() = 'voxhouse' AND n.nspname LIKE 'public' AND c.relname LIKE 'orders'
ORDER BY TABLE_SCHEM, c.relname, attnum
