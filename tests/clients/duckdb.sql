-- client: duckdb postgres extension 1, restated
-- source: github.com/duckdb/duckdb-postgres, src/storage and src/postgres_scanner.cpp; github.com/duckdb/duckdb-postgres/issues/339
-- step: attach
SELECT version(), (SELECT COUNT(*) FROM pg_settings WHERE name LIKE 'rds%')
-- next
-- step: attach
BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY
-- next
-- step: schemas
SELECT oid, nspname FROM pg_namespace WHERE nspname IN (SELECT nspname FROM pg_namespace) ORDER BY oid
-- next
-- step: schemas, tables, columns, constraints, enums, composites, indexes at once
SELECT n.oid AS namespace_id, relname, relpages, attname, pg_type.typname AS type_name, atttypmod AS type_modifier, pg_attribute.attndims AS ndim, attnum, pg_attribute.attnotnull AS notnull, NULL AS constraint_id, NULL AS constraint_type, NULL AS constraint_key
FROM pg_class
JOIN pg_namespace n ON relnamespace = n.oid
JOIN pg_attribute ON pg_class.oid = pg_attribute.attrelid
JOIN pg_type ON atttypid = pg_type.oid
WHERE attnum > 0 AND relkind IN ('r', 'v', 'm', 'f', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
UNION ALL
SELECT n.oid AS namespace_id, relname, NULL AS relpages, NULL AS attname, NULL AS type_name, NULL AS type_modifier, NULL AS ndim, NULL AS attnum, NULL AS notnull, pg_constraint.oid AS constraint_id, contype AS constraint_type, conkey AS constraint_key
FROM pg_class
JOIN pg_namespace n ON relnamespace = n.oid
JOIN pg_constraint ON pg_class.oid = pg_constraint.conrelid
WHERE relkind IN ('r', 'v', 'm', 'f', 'p') AND contype IN ('p', 'u') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
ORDER BY namespace_id, relname, attnum, constraint_id
-- next
-- step: schemas, tables, columns, constraints, enums, composites, indexes at once
SELECT n.oid, enumtypid, typname, enumlabel FROM pg_enum e JOIN pg_type t ON e.enumtypid = t.oid JOIN pg_namespace AS n ON (typnamespace = n.oid) ORDER BY n.oid, enumtypid, enumsortorder
-- next
-- step: schemas, tables, columns, constraints, enums, composites, indexes at once
SELECT n.oid, t.typrelid AS id, t.typname AS type, pg_attribute.attname, sub_type.typname FROM pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace JOIN pg_class ON pg_class.oid = t.typrelid JOIN pg_attribute ON attrelid = t.typrelid JOIN pg_type sub_type ON (pg_attribute.atttypid = sub_type.oid) WHERE pg_class.relkind = 'c' AND t.typtype = 'c' ORDER BY n.oid, t.oid, attrelid, attnum
-- next
-- step: schemas, tables, columns, constraints, enums, composites, indexes at once
SELECT pg_namespace.oid, tablename, indexname FROM pg_indexes JOIN pg_namespace ON (schemaname = nspname) WHERE schemaname IN ('public', 'crm') ORDER BY pg_namespace.oid
-- next
-- step: snapshot for parallel readers
SELECT pg_is_in_recovery(), pg_export_snapshot(), (select count(*) from pg_stat_wal_receiver)
-- next
-- step: scan
COPY (SELECT "category", "amount" FROM "public"."orders" WHERE ctid BETWEEN '(0,0)'::tid AND '(4294967295,0)'::tid AND ("order_id" > 100 AND "order_id" IS NOT NULL)) TO STDOUT (FORMAT "binary")
-- next
-- step: scan of a view
COPY (SELECT "customer_id", "amount" FROM "public"."order_totals") TO STDOUT (FORMAT "binary")
-- next
-- step: end
COMMIT
-- next
-- step: create and insert
BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ
-- next
-- step: create and insert
CREATE TABLE "public"."scratch" ("id" INTEGER, "name" VARCHAR)
-- next
-- step: create and insert
COPY "public"."scratch" ("id", "name") FROM STDIN (FORMAT BINARY)
-- next
-- step: create and insert
COMMIT
-- next
-- step: create and insert
DROP TABLE "public"."scratch"
