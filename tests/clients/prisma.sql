-- client: prisma 7, restated
-- source: github.com/prisma/prisma-engines, schema-engine/sql-schema-describer/src/postgres and schema-engine/connectors
-- step: connect
-- params: []
SELECT EXISTS(SELECT 1 FROM pg_namespace WHERE nspname = 'public') AS schema_exists, version() AS version, current_setting('server_version_num')::integer AS numeric_version
-- next
-- step: db pull: schemas
-- params: ["{public,crm}"]
SELECT namespace.nspname AS namespace_name FROM pg_namespace AS namespace WHERE namespace.nspname = ANY ( $1 ) ORDER BY namespace_name
-- next
-- step: db pull: tables
-- params: ["{public,crm}"]
SELECT t.relname AS table_name, n.nspname AS namespace, (t.relhassubclass AND t.relkind = 'p') AS is_partition, (t.relhassubclass AND t.relkind = 'r') AS has_subclass, t.relrowsecurity AS has_row_level_security, t.reloptions,
  obj_description(t.oid, 'pg_class') AS description
FROM pg_class AS t
INNER JOIN pg_namespace AS n ON n.oid = t.relnamespace
WHERE (t.relkind IN ('r', 'p') AND t.relispartition = FALSE) AND n.nspname = ANY ( $1 )
ORDER BY n.nspname, t.relname
-- next
-- step: db pull: views
-- params: ["{public,crm}"]
SELECT v.viewname AS view_name, v.definition AS view_sql, v.schemaname AS namespace, obj_description(c.oid, 'pg_class') AS description
FROM pg_catalog.pg_views v
INNER JOIN pg_catalog.pg_namespace n ON v.schemaname = n.nspname
INNER JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = v.viewname
WHERE schemaname = ANY ( $1 )
-- next
-- step: db pull: columns
-- params: ["{public,crm}"]
SELECT oid.namespace, info.table_name, info.column_name, format_type(att.atttypid, att.atttypmod) as formatted_type, info.numeric_precision, info.numeric_scale, info.numeric_precision_radix,
  info.datetime_precision, info.data_type, info.udt_schema as type_schema_name, info.udt_name as full_data_type, pg_get_expr(attdef.adbin, attdef.adrelid) AS column_default, info.is_nullable, info.is_identity,
  info.character_maximum_length, col_description(att.attrelid, ordinal_position) AS description
FROM information_schema.columns info
JOIN pg_attribute att ON att.attname = info.column_name
JOIN (SELECT pg_class.oid, relname, pg_namespace.nspname as namespace FROM pg_class JOIN pg_namespace on pg_namespace.oid = pg_class.relnamespace AND pg_namespace.nspname = ANY ( $1 ) WHERE reltype > 0) as oid
  on oid.oid = att.attrelid AND relname = info.table_name AND namespace = info.table_schema
LEFT OUTER JOIN pg_attrdef attdef ON attdef.adrelid = att.attrelid AND attdef.adnum = att.attnum AND table_schema = namespace
WHERE table_schema = ANY ( $1 )
ORDER BY namespace, table_name, ordinal_position
-- next
-- step: db pull: foreign keys
-- params: ["{public,crm}"]
SELECT con.oid AS "con_id", att2.attname AS "child_column", cl.relname AS "parent_table", att.attname AS "parent_column", con.confdeltype, con.confupdtype, rel_ns.nspname AS "referenced_schema_name", conname AS constraint_name, child, parent, table_name, namespace, condeferrable, condeferred
FROM (SELECT ns.nspname AS "namespace", unnest(con1.conkey) AS "parent", unnest(con1.confkey) AS "child", cl.relname AS table_name, ns.nspname AS schema_name, generate_subscripts(con1.conkey, 1) AS colidx, con1.oid, con1.confrelid, con1.conrelid, con1.conname, con1.confdeltype, con1.confupdtype, con1.condeferrable, con1.condeferred
  FROM pg_class cl JOIN pg_constraint con1 ON con1.conrelid = cl.oid JOIN pg_namespace ns ON cl.relnamespace = ns.oid
  WHERE ns.nspname = ANY ( $1 ) AND con1.contype = 'f' ORDER BY colidx) con
JOIN pg_attribute att ON att.attrelid = con.confrelid AND att.attnum = con.child
JOIN pg_class cl ON cl.oid = con.confrelid
JOIN pg_attribute att2 ON att2.attrelid = con.conrelid AND att2.attnum = con.parent
JOIN pg_class rel_cl ON con.confrelid = rel_cl.oid
JOIN pg_namespace rel_ns ON rel_cl.relnamespace = rel_ns.oid
ORDER BY namespace, table_name, constraint_name, con_id, con.colidx
-- next
-- step: db pull: indexes
-- params: ["{public,crm}"]
WITH rawindex AS (
  SELECT indrelid, indexrelid, indisunique, indisprimary, unnest(indkey) AS indkeyid, generate_subscripts(indkey, 1) AS indkeyidx, unnest(indclass) AS indclass, unnest(indoption) AS indoption
  FROM pg_index WHERE indpred IS NULL AND NOT indisexclusion)
SELECT schemainfo.nspname AS namespace, indexinfo.relname AS index_name, tableinfo.relname AS table_name, columninfo.attname AS column_name, rawindex.indisunique AS is_unique, rawindex.indisprimary AS is_primary_key,
  rawindex.indkeyidx AS column_index, opclass.opcname AS opclass, opclass.opcdefault AS opcdefault, indexaccess.amname AS index_algo,
  CASE rawindex.indoption & 1 WHEN 1 THEN 'DESC' ELSE 'ASC' END AS column_order, pc.condeferrable AS condeferrable, pc.condeferred AS condeferred
FROM rawindex
INNER JOIN pg_class AS tableinfo ON tableinfo.oid = rawindex.indrelid
INNER JOIN pg_class AS indexinfo ON indexinfo.oid = rawindex.indexrelid
INNER JOIN pg_namespace AS schemainfo ON schemainfo.oid = tableinfo.relnamespace
LEFT JOIN pg_attribute AS columninfo ON columninfo.attrelid = tableinfo.oid AND columninfo.attnum = rawindex.indkeyid
INNER JOIN pg_am AS indexaccess ON indexaccess.oid = indexinfo.relam
LEFT JOIN pg_opclass AS opclass ON opclass.oid = rawindex.indclass
LEFT JOIN pg_constraint pc ON rawindex.indexrelid = pc.conindid AND pc.contype <> 'f'
WHERE schemainfo.nspname = ANY ( $1 )
ORDER BY namespace, table_name, index_name, column_index
-- next
-- step: db pull: enums
-- params: ["{public,crm}"]
SELECT t.typname as name, e.enumlabel as value, n.nspname as namespace, obj_description(t.oid, 'pg_type') as description
FROM pg_type t JOIN pg_enum e ON t.oid = e.enumtypid JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname = ANY ( $1 ) ORDER BY name, e.enumsortorder
-- next
-- step: db pull: sequences, extensions
-- params: ["{public,crm}"]
SELECT sequencename AS sequence_name, schemaname AS namespace, start_value, min_value, max_value, increment_by, cycle, cache_size FROM pg_sequences WHERE schemaname = ANY ( $1 )
-- next
-- step: db pull: sequences, extensions
-- params: []
SELECT ext.extname AS extension_name, ext.extversion AS extension_version, ext.extrelocatable AS extension_relocatable, pn.nspname AS extension_schema FROM pg_extension ext INNER JOIN pg_namespace pn ON ext.extnamespace = pn.oid ORDER BY ext.extname ASC
-- next
-- step: migrate: lock
-- params: []
SELECT pg_advisory_lock(72707369)
-- next
-- step: client: find many
-- params: ["CN", "10", "0"]
SELECT "public"."customers"."customer_id", "public"."customers"."name" FROM "public"."customers" WHERE "public"."customers"."country" = $1 ORDER BY "public"."customers"."customer_id" ASC LIMIT $2 OFFSET $3
-- next
-- step: client: with a relation, joined
-- params: ["CN"]
SELECT "t0"."customer_id", "t0"."name", "t0_orders"."__prisma_data__" AS "orders" FROM "public"."customers" AS "t0"
LEFT JOIN LATERAL (SELECT COALESCE(JSONB_AGG("__prisma_data__"), '[]') AS "__prisma_data__" FROM (SELECT "t3"."__prisma_data__" FROM (
  SELECT JSONB_BUILD_OBJECT('order_id', "t2"."order_id", 'product', "t2"."product") AS "__prisma_data__" FROM (SELECT "t1".* FROM "public"."orders" AS "t1" WHERE "t0"."customer_id" = "t1"."customer_id") AS "t2") AS "t3") AS "t4") AS "t0_orders" ON TRUE
WHERE "t0"."country" = $1
