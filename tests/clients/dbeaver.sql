-- client: dbeaver 25, restated
-- source: github.com/dbeaver/dbeaver, plugins/org.jkiss.dbeaver.ext.postgresql; github.com/cockroachdb/cockroach/issues/28309; what its driver pgjdbc adds is in pgjdbc.sql
-- step: connect
SET extra_float_digits = 3
-- next
-- step: connect
SET application_name = 'DBeaver 25.1.5 - Main <voxhouse>'
-- next
-- step: connect
-- params: []
SELECT current_schema(),session_user
-- next
-- step: connect
-- params: []
SHOW search_path
-- next
-- step: databases
-- params: []
SELECT db.oid,db.* FROM pg_catalog.pg_database db WHERE datname='voxhouse'
-- next
-- step: databases, all of them
-- params: []
SELECT db.oid,db.* FROM pg_catalog.pg_database db WHERE 1 = 1 AND datallowconn AND NOT datistemplate OR db.datname = 'voxhouse' ORDER BY db.datname
-- next
-- step: schemas
-- params: []
SELECT n.oid,n.*,d.description FROM pg_catalog.pg_namespace n LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=n.oid AND d.objsubid=0 AND d.classoid='pg_namespace'::regclass ORDER BY nspname
-- next
-- step: settings
-- params: []
SELECT * FROM pg_catalog.pg_settings WHERE name='standard_conforming_strings'
-- next
-- step: probes
-- params: []
SELECT * FROM pg_catalog.pg_enum WHERE 1<>1 LIMIT 1
-- next
-- step: probes
-- params: []
SELECT reltype FROM pg_catalog.pg_class WHERE 1<>1 LIMIT 1
-- next
-- step: keywords
-- params: []
SELECT string_agg(word, ',') FROM pg_catalog.pg_get_keywords() WHERE word <> ALL ('{a,abs,select,zone}'::text[])
-- next
-- step: types
-- params: []
SELECT t.oid,t.*,c.relkind,format_type(nullif(t.typbasetype, 0), t.typtypmod) as base_type_name, d.description
FROM pg_catalog.pg_type t
LEFT OUTER JOIN pg_catalog.pg_type et ON et.oid=t.typelem
LEFT OUTER JOIN pg_catalog.pg_class c ON c.oid=t.typrelid
LEFT OUTER JOIN pg_catalog.pg_description d ON t.oid=d.objoid
WHERE t.typname IS NOT NULL AND (c.relkind IS NULL OR c.relkind = 'c') AND (et.typcategory IS NULL OR et.typcategory <> 'C')
-- next
-- step: relations of a schema
-- params: ["{schema public}"]
SELECT c.oid,c.*,d.description,pg_catalog.pg_get_expr(c.relpartbound, c.oid) as partition_expr, pg_catalog.pg_get_partkeydef(c.oid) as partition_key
FROM pg_catalog.pg_class c
LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=c.oid AND d.objsubid=0 AND d.classoid='pg_class'::regclass
WHERE c.relnamespace=$1 AND c.relkind not in ('i','I','c')
-- next
-- step: sizes
-- params: ["{schema public}"]
select c.oid,pg_catalog.pg_total_relation_size(c.oid) as total_rel_size,pg_catalog.pg_relation_size(c.oid) as rel_size
FROM pg_class c WHERE c.relnamespace=$1
-- next
-- step: columns
-- params: ["{class public.orders}"]
SELECT r.relname,a.*,pg_catalog.pg_get_expr(f.adbin, f.adrelid, true) as def_value,d.description,x.objid
FROM pg_catalog.pg_attribute a
INNER JOIN pg_catalog.pg_class r ON r.oid=a.attrelid
LEFT OUTER JOIN pg_catalog.pg_attrdef f ON f.adrelid=a.attrelid AND f.adnum=a.attnum
LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=r.oid AND d.objsubid=a.attnum
LEFT OUTER JOIN pg_depend x on x.refobjid=a.attrelid AND x.refobjsubid=a.attnum AND x.deptype='i' AND x.classid=x.refclassid
WHERE NOT a.attisdropped AND r.relkind not in ('i','I','c') AND r.oid=$1
ORDER BY a.attnum
-- next
-- step: constraints
-- params: ["{class public.orders}"]
SELECT k.oid,k.*,r.relname as tabrelname,other.relnamespace as refnamespace,d.description, case when k.contype='c' then "substring"(pg_get_constraintdef(k.oid), 7) end consrc_copy
FROM pg_catalog.pg_constraint k
INNER JOIN pg_catalog.pg_class r ON r.oid=k.conrelid
LEFT OUTER JOIN pg_catalog.pg_class other ON other.oid=k.confrelid
LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=k.oid AND d.objsubid=0 AND d.classoid='pg_constraint'::regclass
WHERE k.conrelid=$1 ORDER BY k.oid
-- next
-- step: keys that refer to a table
-- params: ["{class public.customers}"]
SELECT DISTINCT c.oid as constraint_oid, c.connamespace, c.conrelid, n.oid as schema_id, t.relname
FROM pg_catalog.pg_constraint c, pg_catalog.pg_class t, pg_catalog.pg_namespace n
WHERE c.confrelid=$1 AND t.oid=c.conrelid AND n.oid=t.relnamespace
-- next
-- step: indexes
-- params: ["{class public.orders}"]
SELECT x.*,x.indkey as keys,xr.relname,xr.relnamespace,xr.relam,r.relname as tabrelname,d.description,pg_catalog.pg_get_expr(x.indpred, x.indrelid) as pred_expr,pg_catalog.pg_get_expr(x.indexprs, x.indrelid, true) as expr,pg_catalog.pg_relation_size(x.indexrelid) as index_rel_size,pg_catalog.pg_stat_get_numscans(x.indexrelid) as index_num_scans
FROM pg_catalog.pg_index x
INNER JOIN pg_catalog.pg_class xr ON xr.oid=x.indexrelid
INNER JOIN pg_catalog.pg_class r ON r.oid=x.indrelid
LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=x.indexrelid
WHERE x.indrelid=$1 ORDER BY tabrelname, xr.relname
-- next
-- step: functions of a schema
-- params: ["{schema public}"]
SELECT p.oid as poid,p.*,pg_catalog.pg_get_expr(p.proargdefaults, 0) as arg_defaults,d.description
FROM pg_catalog.pg_proc p
LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=p.oid
WHERE p.pronamespace=$1
ORDER BY p.proname
-- next
-- step: triggers, rules, policies, inheritance, dependencies of a table
-- params: ["{class public.orders}"]
SELECT x.oid,x.*,p.pronamespace as func_schema_id,d.description
FROM pg_catalog.pg_trigger x
LEFT OUTER JOIN pg_catalog.pg_proc p ON p.oid=x.tgfoid
LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=x.oid AND d.objsubid=0
WHERE x.tgrelid=$1 AND NOT x.tgisinternal
-- next
-- step: triggers, rules, policies, inheritance, dependencies of a table
-- params: ["{class public.orders}"]
SELECT r.* FROM pg_catalog.pg_rewrite r WHERE r.ev_class=$1 AND r.rulename <> '_RETURN'::name
-- next
-- step: triggers, rules, policies, inheritance, dependencies of a table
-- params: ["public", "orders"]
SELECT * FROM pg_catalog.pg_policies WHERE schemaname=$1 AND tablename=$2
-- next
-- step: triggers, rules, policies, inheritance, dependencies of a table
-- params: ["{class public.orders}"]
SELECT i.*,c.relnamespace FROM pg_catalog.pg_inherits i,pg_catalog.pg_class c WHERE i.inhrelid=$1 AND c.oid=i.inhparent ORDER BY i.inhseqno
-- next
-- step: triggers, rules, policies, inheritance, dependencies of a table
-- params: ["{class public.orders}"]
SELECT DISTINCT x.deptype, x.classid, x.objid, r.relkind, a.attname, pg_get_expr(f.adbin, f.adrelid) adefval,
    CASE WHEN r.relkind IS NOT NULL THEN r.relkind::text || COALESCE(x.objsubid::text, '') WHEN w.oid IS NOT NULL THEN 'R'::text WHEN k.oid IS NOT NULL THEN 'C'::text || k.contype::text ELSE '' END AS type,
    COALESCE(kr.relname, wr.relname) AS ownertable, COALESCE(r.relname, k.conname, w.rulename) AS refname, COALESCE(rn.nspname, kn.nspname, wn.nspname) AS nspname
FROM pg_depend x
LEFT JOIN pg_class r ON r.oid=x.objid
LEFT JOIN pg_attribute a ON a.attrelid=x.objid AND a.attnum=x.objsubid
LEFT JOIN pg_namespace rn ON rn.oid=r.relnamespace
LEFT JOIN pg_constraint k ON k.oid=x.objid
LEFT JOIN pg_class kr ON kr.oid=k.conrelid
LEFT JOIN pg_namespace kn ON kn.oid=k.connamespace
LEFT JOIN pg_rewrite w ON w.oid=x.objid
LEFT JOIN pg_class wr ON wr.oid=w.ev_class
LEFT JOIN pg_namespace wn ON wn.oid=wr.relnamespace
LEFT JOIN pg_attrdef f ON f.oid=x.objid
WHERE x.refobjid=$1
ORDER BY type
-- next
-- step: sequences
-- params: ["{schema public}"]
SELECT c.oid,c.*,d.description FROM pg_catalog.pg_class c LEFT OUTER JOIN pg_catalog.pg_description d ON c.oid=d.objoid WHERE c.relkind = 'S' AND c.relnamespace=$1
-- next
-- step: source of a view
-- params: ["{class public.order_totals}"]
SELECT pg_catalog.pg_get_viewdef($1::oid, true)
-- next
-- step: roles
-- params: []
SELECT a.oid,a.*,pd.description FROM pg_catalog.pg_roles a left join pg_catalog.pg_shdescription pd on a.oid = pd.objoid ORDER BY a.rolname
-- next
-- step: members of roles
-- params: ["{role voxhouse}"]
SELECT a.* FROM pg_catalog.pg_auth_members a WHERE a.member=$1
-- next
-- step: privileges of a role
-- params: ["voxhouse"]
SELECT * FROM information_schema.table_privileges WHERE table_catalog=current_database() AND grantee=$1
-- next
-- step: tablespaces, languages, extensions, encodings, access methods, casts, collations
-- params: []
SELECT t.oid,t.*,pg_tablespace_location(t.oid) loc FROM pg_catalog.pg_tablespace t ORDER BY t.oid
-- next
-- step: tablespaces, languages, extensions, encodings, access methods, casts, collations
-- params: []
SELECT l.oid,l.* FROM pg_catalog.pg_language l ORDER BY l.oid
-- next
-- step: tablespaces, languages, extensions, encodings, access methods, casts, collations
-- params: []
SELECT e.oid,e.* FROM pg_catalog.pg_extension e ORDER BY e.oid
-- next
-- step: tablespaces, languages, extensions, encodings, access methods, casts, collations
-- params: []
SELECT c.contoencoding as encid,pg_catalog.pg_encoding_to_char(c.contoencoding) as encname FROM pg_catalog.pg_conversion c GROUP BY c.contoencoding ORDER BY 2
-- next
-- step: tablespaces, languages, extensions, encodings, access methods, casts, collations
-- params: []
SELECT am.oid,am.* FROM pg_catalog.pg_am am ORDER BY am.oid
-- next
-- step: tablespaces, languages, extensions, encodings, access methods, casts, collations
-- params: []
SELECT c.oid,c.* FROM pg_catalog.pg_collation c ORDER BY c.oid
-- next
-- step: comment of the database
-- params: ["{database voxhouse}"]
select description from pg_shdescription join pg_database on objoid = pg_database.oid where pg_database.oid = $1
-- next
-- step: sessions and locks
-- params: []
SELECT sa.* FROM pg_catalog.pg_stat_activity sa
-- next
-- step: sessions and locks
-- params: []
with l as (
    select l.pid,coalesce(locktype,'') as locktype,coalesce(c.relname,'') as relation,mode,granted
    from pg_catalog.pg_locks l left join pg_catalog.pg_class c on c.oid = l.relation)
select l.pid, a.usename, a.datname, l.locktype, l.relation, l.mode, l.granted, a.query
from l join pg_catalog.pg_stat_activity a on a.pid = l.pid
where not l.granted
-- next
-- step: search for objects
-- params: ["ORD%", "{schema public}"]
SELECT DISTINCT x.oid,x.relname,x.relkind,x.relnamespace FROM pg_catalog.pg_class x WHERE x.relkind in('r','v','m','f','p') AND x.relname ILIKE $1 AND x.relnamespace IN ($2) ORDER BY x.relname LIMIT 100
-- next
-- step: rows of a table
-- params: []
SELECT c.* FROM public.customers c LIMIT 200
-- next
-- step: number of rows
-- params: []
select count(*) from public.orders x
-- next
-- step: editing rows
-- params: ["Ann", "1"]
UPDATE crm.notes SET "Written By"=$1 WHERE note_id=$2
-- next
-- step: plan
-- params: []
EXPLAIN (FORMAT XML, ANALYZE) SELECT * FROM public.orders
