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
select N.oid::bigint as id, datname as name, D.description, datistemplate as is_template, datallowconn as allow_connections, pg_catalog.pg_get_userbyid(N.datdba) as "owner"
from pg_catalog.pg_database N
  left join pg_catalog.pg_shdescription D on N.oid = D.objoid
order by case when datname = pg_catalog.current_database() then -1::bigint else N.oid::bigint end
-- next
-- step: schemas
-- params: []
select N.oid::bigint as id, N.xmin as state_number, nspname as name, D.description, pg_catalog.pg_get_userbyid(N.nspowner) as "owner"
from pg_catalog.pg_namespace N
  left join pg_catalog.pg_description D on N.oid = D.objoid
order by case when nspname = pg_catalog.current_schema() then -1::bigint else N.oid::bigint end
-- next
-- step: time zones
-- params: []
select name, is_dst from pg_catalog.pg_timezone_names
union distinct
select abbrev as name, is_dst from pg_catalog.pg_timezone_abbrevs
-- next
-- step: roles
-- params: []
select R.oid::bigint as role_id, rolname as role_name, rolsuper is_super, rolinherit is_inherit, rolcreaterole can_createrole, rolcreatedb can_createdb,
  rolcanlogin can_login, rolreplication is_replication, rolconnlimit conn_limit, rolvaliduntil valid_until, rolbypassrls bypass_rls, rolconfig config, D.description
from pg_catalog.pg_roles R
  left join pg_catalog.pg_shdescription D on D.objoid = R.oid
-- next
-- step: roles
-- params: []
select member id, roleid role_id, admin_option from pg_catalog.pg_auth_members order by id, roleid::text
-- next
-- step: tablespaces
-- params: []
select T.oid::bigint as id, T.spcname as name, T.xmin as state_number, pg_catalog.pg_get_userbyid(T.spcowner) as owner,
  pg_catalog.pg_tablespace_location(T.oid) as location, T.spcoptions as options, D.description as comment
from pg_catalog.pg_tablespace T
  left join pg_catalog.pg_shdescription D on D.objoid = T.oid
-- next
-- step: privileges on tablespaces and databases
-- params: []
select T.oid as object_id, T.spcacl as acl from pg_catalog.pg_tablespace T
union all
select T.oid as object_id, T.datacl as acl from pg_catalog.pg_database T
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
select T.relkind as table_kind, T.relname as table_name, T.oid as table_id, T.xmin as table_state_number, T.relhasoids as table_with_oids,
  T.reltablespace as tablespace_id, T.reloptions as options, T.relpersistence as persistence,
  (select pg_catalog.array_agg(inhparent::bigint order by inhseqno)::varchar from pg_catalog.pg_inherits where T.oid = inhrelid) as ancestors,
  (select pg_catalog.array_agg(inhrelid::bigint order by inhrelid)::varchar from pg_catalog.pg_inherits where T.oid = inhparent) as successors,
  T.relispartition as is_partition, pg_catalog.pg_get_partkeydef(T.oid) as partition_key, pg_catalog.pg_get_expr(T.relpartbound, T.oid) as partition_expression,
  T.relam am_id, pg_catalog.pg_get_userbyid(T.relowner) as "owner"
from (select c.*, c.xmin, false as relhasoids from pg_catalog.pg_class c) T
where relnamespace = $1::oid and relkind in ('r', 'm', 'v', 'f', 'p')
order by table_kind, table_id
-- next
-- step: columns
-- params: ["{schema public}"]
with schema_procs as (select prorettype, proargtypes, proallargtypes from pg_catalog.pg_proc where pronamespace = $1::oid),
T as (select distinct C.oid as table_id, C.relname, C.relkind from pg_catalog.pg_class C where relkind in ('r', 'm', 'v', 'f', 'p') and relnamespace = $1::oid)
select T.table_id, C.attnum as column_position, C.attname as column_name, C.xmin as column_state_number, C.atttypmod as type_mod, C.attndims as dimensions_number,
  pg_catalog.format_type(C.atttypid, C.atttypmod) as type_spec, C.atttypid as type_id, C.attnotnull as mandatory,
  pg_catalog.pg_get_expr(D.adbin, T.table_id) as column_default_expression, not C.attislocal as column_is_inherited, C.attfdwoptions as options, C.attisdropped as column_is_dropped,
  C.attidentity as identity_kind, C.attgenerated as generated
from T
  join pg_catalog.pg_attribute C on T.table_id = C.attrelid
  left join pg_catalog.pg_attrdef D on (C.attrelid, C.attnum) = (D.adrelid, D.adnum)
where attnum > 0
order by table_id, attnum
-- next
-- step: indexes
-- params: ["{schema public}"]
select tab.oid table_id, tab.relkind table_kind, ind_stor.relname index_name, ind_head.indexrelid index_id, ind_stor.xmin state_number,
  ind_head.indisunique is_unique, ind_head.indisprimary is_primary, ind_head.indnullsnotdistinct nulls_not_distinct,
  pg_catalog.pg_get_expr(ind_head.indpred, ind_head.indrelid) as condition,
  (select pg_catalog.array_agg(inhparent::bigint order by inhseqno)::varchar from pg_catalog.pg_inherits where ind_stor.oid = inhrelid) as ancestors,
  ind_stor.reltablespace tablespace_id, opcmethod as access_method_id
from pg_catalog.pg_class tab
  join pg_catalog.pg_index ind_head on ind_head.indrelid = tab.oid
  join pg_catalog.pg_class ind_stor on tab.relnamespace = ind_stor.relnamespace and ind_stor.oid = ind_head.indexrelid
  left join pg_catalog.pg_opclass on pg_opclass.oid = any(indclass)
where tab.relnamespace = $1::oid and tab.relkind in ('r', 'm', 'v', 'p') and ind_stor.relkind in ('i', 'I')
-- next
-- step: columns of indexes
-- params: ["{schema public}"]
select ind_head.indexrelid index_id, k col_idx, k <= indnkeyatts in_key, ind_head.indkey[k-1] column_position,
  ind_head.indoption[k-1] column_options, ind_head.indcollation[k-1] as collation, colln.nspname as collation_schema, collname as collation_str,
  ind_head.indclass[k-1] as opclass,
  case when opcdefault then null else opcn.nspname end as opclass_schema, case when opcdefault then null else opcname end as opclass_str,
  case when indexprs is null then null
       when ind_head.indkey[k-1] = 0 then chr(27) || pg_catalog.pg_get_indexdef(ind_head.indexrelid, k::int, true)
       else pg_catalog.pg_get_indexdef(ind_head.indexrelid, k::int, true) end as expression,
  amcanorder can_order
from (select ind.*, generate_series(1, indnatts::int) as k from pg_catalog.pg_index ind) ind_head
  join pg_catalog.pg_class ind_stor on ind_head.indexrelid = ind_stor.oid
  join pg_catalog.pg_class tab on ind_head.indrelid = tab.oid
  left join pg_catalog.pg_collation on pg_collation.oid = ind_head.indcollation[k-1]
  left join pg_catalog.pg_namespace colln on collnamespace = colln.oid
  cross join (select true as amcanorder) am
  left join pg_catalog.pg_opclass on pg_opclass.oid = ind_head.indclass[k-1]
  left join pg_catalog.pg_namespace opcn on opcnamespace = opcn.oid
where tab.relnamespace = $1::oid
order by index_id, k
-- next
-- step: constraints
-- params: ["{schema public}"]
select T.oid table_id, relkind table_kind, C.oid::bigint con_id, C.xmin::varchar::bigint con_state_id, conname con_name, contype con_kind, conkey con_columns,
  conindid index_id, confrelid ref_table_id, condeferrable is_deferrable, condeferred is_init_deferred, confupdtype on_update, confdeltype on_delete,
  connoinherit no_inherit, pg_catalog.pg_get_expr(conbin, T.oid) con_expression, confkey ref_columns, conexclop::int[] excl_operators,
  array(select unnest::regoper::varchar from unnest(conexclop)) excl_operators_str
from pg_catalog.pg_constraint C
  join pg_catalog.pg_class T on C.conrelid = T.oid
where relkind in ('r', 'v', 'f', 'p') and relnamespace = $1::oid and contype in ('p', 'u', 'f', 'c', 'x') and connamespace = $1::oid
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
with languages as (select oid as lang_oid, lanname as lang from pg_catalog.pg_language),
routines as (
  select proname as r_name, prolang as lang_oid, oid as r_id, xmin as r_state_number, proargnames as arg_names, proargmodes as arg_modes,
    proargtypes::int[] as in_arg_types, proallargtypes::int[] as all_arg_types, pg_catalog.pg_get_expr(proargdefaults, 0) as arg_defaults,
    provariadic as arg_variadic_id, prorettype as ret_type_id, proretset as ret_set, prokind as kind, provolatile as volatile_kind, proisstrict as is_strict,
    prosecdef as is_security_definer, proconfig as configuration_parameters, procost as cost, pg_catalog.pg_get_userbyid(proowner) as "owner", prorows as rows,
    proleakproof as is_leakproof, proparallel as concurrency_kind
  from pg_catalog.pg_proc
  where pronamespace = $1::oid and not (prokind = 'a'))
select * from routines natural join languages
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
