-- client: fivetran, restated
-- source: Fivetran's documentation of the PostgreSQL connector and destination; section "Common base" of public compatibility reports
-- step: source: schemas, tables, columns
SELECT table_schema, table_name, column_name, data_type, udt_name, is_nullable, numeric_precision, numeric_scale, character_maximum_length, column_default FROM information_schema.columns WHERE table_schema NOT IN ('information_schema', 'pg_catalog', 'pg_toast') ORDER BY table_schema, table_name, ordinal_position
-- next
-- step: source: primary keys
SELECT tc.table_schema, tc.table_name, kcu.column_name, kcu.ordinal_position FROM information_schema.table_constraints tc JOIN information_schema.key_column_usage kcu ON tc.constraint_name = kcu.constraint_name AND tc.constraint_schema = kcu.constraint_schema WHERE tc.constraint_type = 'PRIMARY KEY' ORDER BY 1, 2, 4
-- next
-- step: source: foreign keys
SELECT tc.constraint_name, tc.table_schema, tc.table_name, kcu.column_name, ccu.table_schema AS foreign_table_schema, ccu.table_name AS foreign_table_name, ccu.column_name AS foreign_column_name FROM information_schema.table_constraints tc JOIN information_schema.key_column_usage kcu ON tc.constraint_name = kcu.constraint_name JOIN information_schema.constraint_column_usage ccu ON ccu.constraint_name = tc.constraint_name WHERE tc.constraint_type = 'FOREIGN KEY'
-- next
-- step: source: rows since a transaction
SELECT xmin::text::bigint AS xmin, * FROM "public"."customers" WHERE xmin::text::bigint >= 0
-- next
-- step: destination
/* fivetran */ BEGIN
-- next
-- step: destination
/* fivetran */ SAVEPOINT before_create
-- next
-- step: destination
/* fivetran */ CREATE TABLE "crm"."accounts" ("id" BIGINT, "name" TEXT, "_fivetran_synced" TIMESTAMP WITH TIME ZONE, "_fivetran_deleted" BOOLEAN, PRIMARY KEY ("id"))
-- next
-- step: destination
/* fivetran */ RELEASE SAVEPOINT before_create
-- next
-- step: destination
/* fivetran */ COMMENT ON TABLE "crm"."accounts" IS 'synced'
-- next
-- step: destination
/* fivetran */ ALTER TABLE "crm"."accounts" ADD COLUMN "city" TEXT
-- next
-- step: destination
/* fivetran */ COPY "crm"."accounts" ("id", "name") FROM STDIN WITH (FORMAT CSV, ENCODING 'UTF8')
-- next
-- step: destination
/* fivetran */ DELETE FROM "crm"."accounts" USING "customers" s WHERE "crm"."accounts"."id" = s."customer_id"
-- next
-- step: destination
/* fivetran */ COMMIT
-- next
-- step: destination
/* fivetran */ DROP TABLE IF EXISTS "crm"."accounts"
