-- client: airbyte source-postgres 3, restated
-- source: github.com/airbytehq/airbyte, airbyte-integrations/connectors/source-postgres and its documentation; metadata calls are in pgjdbc.sql
-- step: check
-- params: []
SELECT 1
-- next
-- step: check: number of tables that can be read
-- params: []
SELECT DISTINCT table_catalog, table_schema, table_name, privilege_type
FROM information_schema.table_privileges WHERE grantee = current_user AND privilege_type = 'SELECT'
UNION
SELECT r.table_catalog, n.nspname AS table_schema, c.relname AS table_name, x.privilege_type
FROM (SELECT current_database() AS table_catalog) r, pg_class c JOIN pg_namespace n ON c.relnamespace = n.oid, aclexplode(COALESCE(c.relacl, acldefault('r', c.relowner))) x
WHERE x.grantee = 0 AND x.privilege_type = 'SELECT' AND n.nspname NOT LIKE 'pg_%'
-- next
-- step: may a table be read
-- params: ["\"public\".\"orders\""]
SELECT has_table_privilege($1, 'SELECT')
-- next
-- step: vacuum that is under way
-- params: []
SELECT phase FROM pg_stat_progress_cluster WHERE command = 'VACUUM FULL'
-- next
-- step: file node and size of a table, read by ctid
-- params: ["public.orders"]
SELECT pg_relation_filenode($1), pg_relation_size($1), current_setting('block_size')::int
-- next
-- step: state of the write-ahead log
-- params: []
SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END AS lsn
-- next
-- step: transaction numbers
-- params: []
SELECT (txid_snapshot_xmin(txid_current_snapshot()) >> 32) AS num_wraparound, (txid_snapshot_xmin(txid_current_snapshot()) % (2^32)::bigint) AS xmin_xid_value, txid_snapshot_xmin(txid_current_snapshot()) AS xmin_raw_value
-- next
-- step: largest cursor value
-- params: []
SELECT MAX("ordered_at") FROM "public"."orders"
-- next
-- step: rows with a cursor
-- params: ["2026-01-01 00:00:00+00"]
SELECT "order_id","line","amount","ordered_at" FROM "public"."orders" WHERE "ordered_at" > $1 ORDER BY "ordered_at" ASC
-- next
-- step: number of nulls of the cursor
-- params: []
SELECT (EXISTS (SELECT FROM "public"."orders" WHERE "ordered_at" IS NULL LIMIT 1)) AS cursor_has_nulls
-- next
-- step: rows by ctid
-- params: ["(0,0)", "(100,0)"]
SELECT ctid::text, "order_id","line","amount" FROM "public"."orders" WHERE ctid > $1::tid AND ctid <= $2::tid
-- next
-- step: primary keys of every table
-- params: []
SELECT n.nspname, c.relname, a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) WHERE i.indisprimary AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') ORDER BY 1, 2, 3
-- next
-- step: destination: a table is written
CREATE SCHEMA IF NOT EXISTS airbyte_internal
-- next
-- step: destination: a table is written
CREATE TABLE IF NOT EXISTS "airbyte_internal"."raw_orders" ("_airbyte_raw_id" VARCHAR(36) NOT NULL, "_airbyte_data" JSONB, "_airbyte_extracted_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), "_airbyte_generation_id" BIGINT)
-- next
-- step: destination: a table is written
COPY "airbyte_internal"."raw_orders" FROM stdin DELIMITER ',' CSV
-- next
-- step: destination: a table is written
DROP SCHEMA IF EXISTS airbyte_internal CASCADE
