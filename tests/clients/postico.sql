-- client: postico 1 and zoho, restated
-- source: github.com/cube-js/cube, rust/cubesql/cubesql/src/compile/test/test_introspection.rs
-- step: schemas
SELECT oid, nspname, nspname = ANY (current_schemas(true)) AS is_on_search_path, oid = pg_my_temp_schema() AS is_my_temp_schema, pg_is_other_temp_schema(oid) AS is_other_temp_schema FROM pg_namespace
-- next
-- step: zoho: where am I
select pg_backend_pid(), coalesce(cast(inet_server_addr() as text), 'addr'), current_database()
-- next
-- step: number of rows as the planner guesses it
SELECT c.relname, (CASE WHEN c.reltuples < 0 THEN NULL WHEN c.relpages = 0 THEN float8 '0' ELSE c.reltuples / c.relpages END * (pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::int))::bigint AS row_size
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind = 'r'
