-- client: debezium 3, restated
-- source: github.com/debezium/debezium, debezium-connector-postgres and its documentation; metadata calls are in pgjdbc.sql
-- step: validation
-- params: []
SELECT version()
-- next
-- step: validation
-- params: []
SHOW wal_level
-- next
-- step: validation
-- params: []
SELECT r.rolcanlogin AS rolcanlogin, r.rolreplication AS rolreplication,
  CAST(array_position(ARRAY(SELECT b.rolname FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles b ON (m.roleid = b.oid) WHERE m.member = r.oid), 'rds_superuser') IS NOT NULL AS BOOL) AS aws_superuser
FROM pg_roles r WHERE r.rolname = current_user
-- next
-- step: replication slot
-- params: ["debezium", "voxhouse", "pgoutput"]
select * from pg_replication_slots where slot_name = $1 and database = $2 and plugin = $3
-- next
-- step: publication
-- params: []
SELECT COUNT(1) FROM pg_publication WHERE pubname = 'dbz_publication'
-- next
-- step: publication
-- params: []
SELECT schemaname, tablename FROM pg_publication_tables WHERE pubname = 'dbz_publication'
-- next
-- step: types
-- params: []
SELECT t.oid AS oid, t.typname AS name, t.typelem AS element, t.typbasetype AS parentoid, t.typtypmod AS modifiers, t.typcategory AS category, e.values AS enum_values
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_namespace n ON (t.typnamespace = n.oid)
LEFT JOIN (SELECT t.enumtypid AS id, array_agg(t.enumlabel) AS values FROM pg_catalog.pg_enum t GROUP BY id) e ON (t.oid = e.id)
WHERE n.nspname != 'pg_toast'
-- next
-- step: identity of rows
-- params: ["public", "orders"]
SELECT relreplident FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON c.relnamespace = n.oid WHERE n.nspname = $1 AND c.relname = $2
-- next
-- step: position
-- params: []
select (case pg_is_in_recovery() when 't' then pg_last_wal_receive_lsn() else pg_current_wal_lsn() end) AS pg_current_wal_lsn
-- next
-- step: position
-- params: []
select * from txid_current()
-- next
-- step: snapshot
-- params: []
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE
-- next
-- step: snapshot
-- params: []
SELECT "customer_id", "name", "score" FROM "public"."customers"
