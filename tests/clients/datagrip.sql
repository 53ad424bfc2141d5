-- client: datagrip 2025.2, restated
-- source: github.com/datafusion-contrib/datafusion-postgres/issues/165; github.com/yugabyte/yugabyte-db/issues/9328; github.com/MaterializeInc/materialize/issues/9720
-- step: connect
SET application_name = 'DataGrip 2025.2.3'
-- next
-- step: connect
-- params: []
select current_database() as a, current_schemas(false) as b
-- next
-- step: connect
-- params: []
select current_database(), current_schema(), current_user
-- next
-- step: state of the server
-- params: []
select round(extract(epoch from pg_postmaster_start_time() at time zone 'UTC')) as startup_time
-- next
-- step: state of the server
-- params: []
select L.transactionid::varchar::bigint as transaction_id
from pg_catalog.pg_locks L
where L.transactionid is not null
order by pg_catalog.age(L.transactionid) desc
limit 1
-- next
-- step: state of the server
-- params: []
select case when pg_catalog.pg_is_in_recovery() then null else (pg_catalog.txid_current() % 4294967296)::varchar::bigint end as current_txid
-- next
-- step: databases
-- params: []
select db.oid::bigint as id, datname as name, dd.description, datistemplate as is_template, datallowconn as allow_connections, pg_catalog.pg_get_userbyid(db.datdba) as "owner"
from pg_catalog.pg_database db
  left join pg_catalog.pg_shdescription dd on dd.objoid = db.oid
order by case when pg_catalog.current_database() = datname then -1::bigint else db.oid::bigint end
-- next
-- step: schemas
-- params: []
select ns.oid::bigint as id, ns.xmin as state_number, nspname as name, nd.description, pg_catalog.pg_get_userbyid(ns.nspowner) as "owner"
from pg_catalog.pg_namespace ns
  left join pg_catalog.pg_description nd on nd.objoid = ns.oid
order by case when pg_catalog.current_schema() = nspname then -1::bigint else ns.oid::bigint end
-- next
-- step: time zones
-- params: []
select name, is_dst from pg_catalog.pg_timezone_names
union distinct
select abbrev as name, is_dst from pg_catalog.pg_timezone_abbrevs
-- next
-- step: roles
-- params: []
select ro.oid::bigint as role_id, rolname as role_name, rolsuper is_super, rolcreatedb can_createdb, rolcanlogin can_login, rolconnlimit conn_limit,
  rolvaliduntil valid_until, rolbypassrls bypass_rls, rolconfig config, rd.description
from pg_catalog.pg_roles ro
  left join pg_catalog.pg_shdescription rd on rd.objoid = ro.oid
-- next
-- step: roles
-- params: []
select member id, roleid role_id, admin_option from pg_catalog.pg_auth_members order by id, roleid::text
-- next
-- step: tablespaces
-- params: []
select ts.oid::bigint as id, ts.xmin as state_number, ts.spcname as name, pg_catalog.pg_tablespace_location(ts.oid) as location, ts.spcoptions as options,
  pg_catalog.pg_get_userbyid(ts.spcowner) as owner, td.description as comment
from pg_catalog.pg_tablespace ts
  left join pg_catalog.pg_shdescription td on td.objoid = ts.oid
-- next
-- step: privileges on tablespaces and databases
-- params: []
select ts.oid as object_id, ts.spcacl as acl from pg_catalog.pg_tablespace ts
union all
select db.oid, db.datacl from pg_catalog.pg_database db
-- next
-- step: encryption
-- params: []
select ssl from pg_stat_ssl where pid = pg_backend_pid()
-- next
-- step: what changed in a schema
-- params: ["{schema public}"]
select case when greatest(max(pg_catalog.age(C.xmin)), 0) > 0 then 1 else 0 end as changed, count(*) as number
from pg_catalog.pg_class C where C.relnamespace = $1::oid and C.relkind in ('r', 'm', 'v', 'f', 'p')
-- next
-- step: relations
-- params: ["{schema public}"]
select r.oid as table_id, r.xmin as table_state_number, r.relkind as table_kind, r.relname as table_name, r.reloptions as options, r.relpersistence as persistence,
  (select pg_catalog.array_agg(i.inhparent::bigint order by i.inhseqno)::varchar from pg_catalog.pg_inherits i where i.inhrelid = r.oid) as ancestors,
  r.relispartition as is_partition, pg_catalog.pg_get_partkeydef(r.oid) as partition_key, pg_catalog.pg_get_expr(r.relpartbound, r.oid) as partition_expression,
  pg_catalog.pg_get_userbyid(r.relowner) as "owner"
from pg_catalog.pg_class r
where r.relnamespace = $1::oid and r.relkind in ('r', 'm', 'v', 'f', 'p')
order by table_kind, table_id
-- next
-- step: columns
-- params: ["{schema public}"]
with rels as (select distinct r.oid as table_id from pg_catalog.pg_class r where r.relkind in ('r', 'm', 'v', 'f', 'p') and r.relnamespace = $1::oid)
select rels.table_id, a.xmin as column_state_number, a.attnum as column_position, a.attname as column_name, a.atttypmod as type_mod,
  pg_catalog.format_type(a.atttypid, a.atttypmod) as type_spec, a.attnotnull as mandatory, not a.attislocal as column_is_inherited,
  pg_catalog.pg_get_expr(f.adbin, rels.table_id) as column_default_expression, a.attidentity as identity_kind, a.attgenerated as generated
from rels
  join pg_catalog.pg_attribute a on a.attrelid = rels.table_id
  left join pg_catalog.pg_attrdef f on (f.adrelid, f.adnum) = (a.attrelid, a.attnum)
where a.attnum > 0
order by table_id, a.attnum
-- next
-- step: indexes
-- params: ["{schema public}"]
select r.oid table_id, x.indexrelid index_id, xr.relname index_name, xr.xmin state_number, x.indisunique is_unique, x.indisprimary is_primary,
  x.indnullsnotdistinct nulls_not_distinct, pg_catalog.pg_get_expr(x.indpred, x.indrelid) as condition, oc.opcmethod as access_method_id
from pg_catalog.pg_class r
  join pg_catalog.pg_index x on x.indrelid = r.oid
  join pg_catalog.pg_class xr on xr.oid = x.indexrelid and xr.relnamespace = r.relnamespace
  left join pg_catalog.pg_opclass oc on oc.oid = any(x.indclass)
where r.relnamespace = $1::oid and r.relkind in ('r', 'm', 'v', 'p') and xr.relkind in ('i', 'I')
-- next
-- step: columns of indexes
-- params: ["{schema public}"]
select x.indexrelid index_id, n col_idx, n <= x.indnkeyatts in_key, x.indkey[n-1] column_position, x.indoption[n-1] column_options, co.collname as collation_str,
  case when oc.opcdefault then null else oc.opcname end as opclass_str,
  case when x.indkey[n-1] = 0 then chr(27) || pg_catalog.pg_get_indexdef(x.indexrelid, n::int, true) else pg_catalog.pg_get_indexdef(x.indexrelid, n::int, true) end as expression
from (select i.*, generate_series(1, i.indnatts::int) as n from pg_catalog.pg_index i) x
  join pg_catalog.pg_class r on r.oid = x.indrelid
  left join pg_catalog.pg_collation co on co.oid = x.indcollation[n-1]
  left join pg_catalog.pg_opclass oc on oc.oid = x.indclass[n-1]
where r.relnamespace = $1::oid
order by index_id, n
-- next
-- step: constraints
-- params: ["{schema public}"]
select r.oid table_id, k.oid::bigint con_id, k.xmin::varchar::bigint con_state_id, k.conname con_name, k.contype con_kind, k.conkey con_columns, k.conindid index_id,
  k.confrelid ref_table_id, k.confkey ref_columns, pg_catalog.pg_get_expr(k.conbin, r.oid) con_expression, k.conexclop::int[] excl_operators,
  array(select unnest::regoper::varchar from unnest(k.conexclop)) excl_operators_str
from pg_catalog.pg_constraint k
  join pg_catalog.pg_class r on r.oid = k.conrelid
where r.relkind in ('r', 'v', 'f', 'p') and r.relnamespace = $1::oid and k.contype in ('p', 'u', 'f', 'c', 'x')
-- next
-- step: sources of views
-- params: ["{schema public}"]
select T.relkind as view_kind, T.oid as view_id, pg_catalog.pg_get_viewdef(T.oid, true) as source_text
from pg_catalog.pg_class T
  join pg_catalog.pg_namespace N on T.relnamespace = N.oid
where N.oid = $1::oid and T.relkind in ('m', 'v')
-- next
-- step: comments
-- params: ["{schema public}"]
select D.objoid id, case when 'pg_catalog.pg_class'::regclass = classoid then case when D.objsubid <> 0 then 'C' else 'R' end else 'O' end as kind,
  D.objsubid sub_id, D.description
from pg_catalog.pg_description D
  join pg_catalog.pg_class C on D.objoid = C.oid
where C.relnamespace = $1::oid and C.relkind != 'c' and D.classoid = 'pg_catalog.pg_class'::regclass
order by 1, 3
-- next
-- step: functions
-- params: ["{schema public}"]
with lang as (select oid as lang_oid, lanname as lang from pg_catalog.pg_language),
own as (
  select p.oid as r_id, p.xmin as r_state_number, p.proname as r_name, p.prolang as lang_oid, p.proargnames as arg_names, p.proargtypes::int[] as in_arg_types,
    p.proallargtypes::int[] as all_arg_types, pg_catalog.pg_get_expr(p.proargdefaults, 0) as arg_defaults, p.prokind as kind, p.proconfig as configuration_parameters
  from pg_catalog.pg_proc p
  where p.pronamespace = $1::oid and p.prokind <> 'a')
select * from own natural join lang
-- next
-- step: aggregates
-- params: ["{schema pg_catalog}"]
select P.oid as aggregate_id, P.xmin as state_number, P.proname as aggregate_name, P.proargnames as arg_names, P.prorettype as ret_type_id,
  A.aggtransfn::regproc::text as transition_function_name, A.aggtranstype as transition_type, A.agginitval as initial_value
from pg_catalog.pg_aggregate A
  join pg_catalog.pg_proc P on A.aggfnoid = P.oid
where P.pronamespace = $1::oid and P.proname = 'count'
order by P.oid
-- next
-- step: a table's rows
-- params: []
SELECT t.*, CTID FROM public.orders t LIMIT 501
-- next
-- step: a view's rows
-- params: []
SELECT t.* FROM public.order_totals t LIMIT 501
-- next
-- step: number of rows
-- params: []
SELECT COUNT(*) FROM (SELECT * FROM public.orders) dt
