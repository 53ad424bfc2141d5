-- client: devart ODBC (Excel, Google Sheets), restated
-- source: github.com/cube-js/cube, rust/cubesql/cubesql/src/compile/test/test_introspection.rs
-- step: tables
SELECT 'voxhouse' as Database, n.nspname as Schema, relname as Name,
    CASE WHEN n.nspname Like E'pg\\_catalog' then 'Catalog' WHEN n.nspname Like E'information\\_schema' then 'Information' WHEN relkind = 'f' then 'Foreign' ELSE 'User' END as TableType,
    pg_get_userbyid(relowner) AS definer, r.oid as Oid, relacl as ACL, true as HasOids, relhassubclass as HasSubtables, reltuples as RowNumber, description as Comment,
    relnatts as ColumnNumber, relhastriggers as TriggersNumber, conname as Constraint, conkey as ColumnConstrainsIndexes
FROM pg_class r
INNER JOIN pg_namespace n ON relnamespace = n.oid
LEFT OUTER JOIN pg_description d ON d.objoid = r.oid AND d.objsubid = 0
LEFT OUTER JOIN pg_constraint c ON c.conrelid = r.oid AND c.contype = 'p'
WHERE ((relkind = 'r') OR (relkind = 's') OR (relkind = 'f')) AND NOT n.nspname LIKE E'pg\\_temp\\_%%' AND NOT n.nspname like E'pg\\_%' AND NOT n.nspname like E'information\\_schema'
    AND n.nspname::varchar like E'public' AND relname::varchar like '%' AND pg_get_userbyid(relowner)::varchar like '%'
ORDER BY relname
-- next
-- step: types
SELECT typname as name, t.oid as oid, typtype as Type, typelem as TypeElement FROM pg_type t WHERE t.oid::varchar like '1034' and typtype::varchar like 'b' and typelem != 0
-- next
-- step: foreign keys
SELECT a.conname as Name, n.nspname as Schema, my.relname as Table, b.conname as ReferencedKey, fr.relname as ReferencedTable, a.oid as Oid, a.conkey as ColumnIndexes, a.confkey as ForeignColumnIndexes,
    a.confupdtype as UpdateActionCode, a.confdeltype as DeleteActionCode, a.confmatchtype as ForeignKeyMatchType, a.condeferrable as IsDeferrable
FROM pg_constraint a
inner join pg_constraint b on (a.confrelid = b.conrelid AND a.confkey = b.conkey)
INNER JOIN pg_namespace n ON a.connamespace = n.oid
INNER JOIN pg_class my ON a.conrelid = my.oid
LEFT OUTER JOIN pg_class fr ON a.confrelid = fr.oid
WHERE a.contype = 'f' AND (b.contype = 'p' OR b.contype = 'u') AND a.oid::varchar like '%' AND n.nspname like E'public' AND my.relname like E'orders'
ORDER BY 1
-- next
-- step: columns with precision and scale
SELECT a.attname as fieldname, a.attnum as fieldordinal, a.atttypid as datatype, a.atttypmod as fieldmod, a.attnotnull as isnull, c.relname as tablename, n.nspname as schema,
    CASE WHEN exists(select null from pg_constraint k where k.conrelid = c.oid and k.contype = 'p' and a.attnum = ANY (k.conkey)) THEN true ELSE false END as iskey,
    CASE WHEN exists(select null from pg_constraint k where k.conrelid = c.oid and k.contype = 'u' and a.attnum = ANY (k.conkey)) THEN true ELSE false END as isunique,
    CAST(pg_get_expr(d.adbin, d.adrelid) AS varchar) as defvalue,
    CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE a.atttypid END as basetype,
    CASE WHEN a.attidentity = 'a' THEN true ELSE false END as IsAutoIncrement,
    CASE WHEN t.typname Like 'bit' OR t.typname Like 'varbit' and a.atttypmod > 0 THEN a.atttypmod WHEN t.typname Like 'interval' OR t.typname Like 'timestamp' OR t.typname Like 'timestamptz' THEN -1 WHEN a.atttypmod > 0 THEN a.atttypmod - 4 ELSE a.atttypmod END as Length,
    (information_schema._pg_numeric_precision(information_schema._pg_truetypid(a.*, t.*), information_schema._pg_truetypmod(a.*, t.*)))::information_schema.cardinal_number AS Precision,
    (information_schema._pg_numeric_scale(information_schema._pg_truetypid(a.*, t.*), information_schema._pg_truetypmod(a.*, t.*)))::information_schema.cardinal_number AS Scale,
    (information_schema._pg_datetime_precision(information_schema._pg_truetypid(a.*, t.*), information_schema._pg_truetypmod(a.*, t.*)))::information_schema.cardinal_number AS DatetimePrecision
FROM pg_namespace n
INNER JOIN pg_class c ON c.relnamespace = n.oid
INNER JOIN pg_attribute a on c.oid = a.attrelid
LEFT JOIN pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
LEFT JOIN pg_type t on t.oid = a.atttypid
WHERE a.attisdropped = false AND ((c.relkind = 'r') OR (c.relkind = 's') OR (c.relkind = 'v') OR (c.relkind = 'm') OR (c.relkind = 'f')) AND a.attnum > 0 AND ((c.relname LIKE 'orders' AND n.nspname LIKE 'public'))
ORDER BY tablename, fieldordinal
-- next
-- step: columns with their sequences, Google Sheets
SELECT c.relname as Table, a.attname AS Name, a.attnum as Position, CASE WHEN a.attnotnull = 'f' THEN 'true' ELSE 'false' END as Nullable,
    CASE WHEN s.relname IS NULL THEN 'false' ELSE 'true' END as IsAutoIncrement, CASE WHEN t.typname = 'bpchar' THEN 'char' ELSE t.typname END as TypeName
FROM pg_attribute a
JOIN pg_type t ON t.oid = atttypid
JOIN pg_class c ON c.oid = attrelid AND ((c.relkind = 'r') OR (c.relkind = 'v') OR (c.relkind = 'm'))
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT OUTER JOIN (pg_depend JOIN pg_class s ON objid = s.oid AND s.relkind = 'S' AND classid = 'pg_class'::regclass::oid) ON refobjid = attrelid AND refobjsubid = attnum
LEFT JOIN pg_database db ON db.datname = current_database()
WHERE attnum > 0 AND attisdropped IS FALSE AND n.nspname = 'public' AND c.relname = 'orders'
ORDER BY attnum
