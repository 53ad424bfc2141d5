-- client: psqlodbc 13.02 with pyodbc 5.5.0
-- session: 1
-- step: connect 
SET DateStyle = 'ISO';SET extra_float_digits = 2;show transaction_isolation
-- next
-- step: connect 
select oid, typbasetype from pg_type where typname = 'lo'
-- next
-- step: tables() 
select relname, nspname, relkind from pg_catalog.pg_class c, pg_catalog.pg_namespace n where relkind in ('r', 'v', 'm', 'f', 'p') and nspname not in ('pg_catalog', 'information_schema', 'pg_toast', 'pg_temp_1') and n.oid = relnamespace order by nspname, relname
-- next
-- step: tables(schema=public, tableType=TABLE) 
select relname, nspname, relkind from pg_catalog.pg_class c, pg_catalog.pg_namespace n where relkind in ('r', 'v', 'm', 'f', 'p') and nspname like 'public' and nspname not in ('pg_catalog', 'information_schema', 'pg_toast', 'pg_temp_1') and n.oid = relnamespace order by nspname, relname
-- next
-- step: tables(table=ord%) 
select current_schema()
-- next
-- step: tables(table=ord%) 
select relname, nspname, relkind from pg_catalog.pg_class c, pg_catalog.pg_namespace n where relkind in ('r', 'v', 'm', 'f', 'p') and nspname like 'public' and relname like 'ord%' and nspname not in ('pg_catalog', 'information_schema', 'pg_toast', 'pg_temp_1') and n.oid = relnamespace order by nspname, relname
-- next
-- step: tables(catalog=%, schema=, table=) 
select NULL, NULL, NULL
-- next
-- step: tables(catalog=, schema=%, table=) 
select NULL, nspname, NULL from pg_catalog.pg_namespace n where true and nspname not in ('pg_catalog', 'information_schema', 'pg_toast', 'pg_temp_1') order by nspname
-- next
-- step: columns(table=orders) 
select n.nspname, c.relname, a.attname, a.atttypid, t.typname, a.attnum, a.attlen, a.atttypmod, a.attnotnull, c.relhasrules, c.relkind, c.oid, pg_get_expr(d.adbin, d.adrelid), case t.typtype when 'd' then t.typbasetype else 0 end, t.typtypmod, 0, attidentity, c.relhassubclass from (((pg_catalog.pg_class c inner join pg_catalog.pg_namespace n on n.oid = c.relnamespace and c.relname like 'orders' and n.nspname like 'public') inner join pg_catalog.pg_attribute a on (not a.attisdropped) and a.attnum > 0 and a.attrelid = c.oid) inner join pg_catalog.pg_type t on t.oid = a.atttypid) left outer join pg_attrdef d on a.atthasdef and d.adrelid = a.attrelid and d.adnum = a.attnum order by n.nspname, c.relname, attnum
-- next
-- step: columns(schema=crm) 
select n.nspname, c.relname, a.attname, a.atttypid, t.typname, a.attnum, a.attlen, a.atttypmod, a.attnotnull, c.relhasrules, c.relkind, c.oid, pg_get_expr(d.adbin, d.adrelid), case t.typtype when 'd' then t.typbasetype else 0 end, t.typtypmod, 0, attidentity, c.relhassubclass from (((pg_catalog.pg_class c inner join pg_catalog.pg_namespace n on n.oid = c.relnamespace and n.nspname like 'crm') inner join pg_catalog.pg_attribute a on (not a.attisdropped) and a.attnum > 0 and a.attrelid = c.oid) inner join pg_catalog.pg_type t on t.oid = a.atttypid) left outer join pg_attrdef d on a.atthasdef and d.adrelid = a.attrelid and d.adnum = a.attnum order by n.nspname, c.relname, attnum
-- next
-- step: columns(table=tickets, column=t%) 
select n.nspname, c.relname, a.attname, a.atttypid, t.typname, a.attnum, a.attlen, a.atttypmod, a.attnotnull, c.relhasrules, c.relkind, c.oid, pg_get_expr(d.adbin, d.adrelid), case t.typtype when 'd' then t.typbasetype else 0 end, t.typtypmod, 0, attidentity, c.relhassubclass from (((pg_catalog.pg_class c inner join pg_catalog.pg_namespace n on n.oid = c.relnamespace and c.relname like 'tickets' and n.nspname like 'public') inner join pg_catalog.pg_attribute a on (not a.attisdropped) and a.attnum > 0 and a.attname like 't%' and a.attrelid = c.oid) inner join pg_catalog.pg_type t on t.oid = a.atttypid) left outer join pg_attrdef d on a.atthasdef and d.adrelid = a.attrelid and d.adnum = a.attnum order by n.nspname, c.relname, attnum
-- next
-- step: primaryKeys(table=orders) 
select ta.attname, ia.attnum, ic.relname, n.nspname, tc.relname from pg_catalog.pg_attribute ta, pg_catalog.pg_attribute ia, pg_catalog.pg_class tc, pg_catalog.pg_index i, pg_catalog.pg_namespace n, pg_catalog.pg_class ic where tc.relname = 'orders' AND n.nspname = 'public' AND tc.oid = i.indrelid AND n.oid = tc.relnamespace AND i.indisprimary = 't' AND ia.attrelid = i.indexrelid AND ta.attrelid = i.indrelid AND ta.attnum = i.indkey[ia.attnum-1] AND (NOT ta.attisdropped) AND (NOT ia.attisdropped) AND ic.oid = i.indexrelid order by ia.attnum
-- next
-- step: foreignKeys(table=orders) 
select	'voxhouse'::name as "PKTABLE_CAT",
	n2.nspname as "PKTABLE_SCHEM",
	c2.relname as "PKTABLE_NAME",
	a2.attname as "PKCOLUMN_NAME",
	'voxhouse'::name as "FKTABLE_CAT",
	n1.nspname as "FKTABLE_SCHEM",
	c1.relname as "FKTABLE_NAME",
	a1.attname as "FKCOLUMN_NAME",
	i::int2 as "KEY_SEQ",
	case ref.confupdtype
		when 'c' then 0::int2
		when 'n' then 2::int2
		when 'd' then 4::int2
		when 'r' then 1::int2
		else 3::int2
	end as "UPDATE_RULE",
	case ref.confdeltype
		when 'c' then 0::int2
		when 'n' then 2::int2
		when 'd' then 4::int2
		when 'r' then 1::int2
		else 3::int2
	end as "DELETE_RULE",
	ref.conname as "FK_NAME",
	cn.conname as "PK_NAME",
	case
		when ref.condeferrable then
			case
			when ref.condeferred then 5::int2
			else 6::int2
			end
		else 7::int2
	end as "DEFERRABILITY"
 from
 ((((((( (select cn.oid, conrelid, conkey, confrelid, confkey,
	 generate_series(array_lower(conkey, 1), array_upper(conkey, 1)) as i,
	 confupdtype, confdeltype, conname,
	 condeferrable, condeferred
  from pg_catalog.pg_constraint cn,
	pg_catalog.pg_class c,
	pg_catalog.pg_namespace n
  where contype = 'f' 
   and  confrelid = c.oid
   and  relname = 'orders'
   and  n.oid = c.relnamespace
   and  n.nspname = 'public'
 ) ref
 inner join pg_catalog.pg_class c1
  on c1.oid = ref.conrelid)
 inner join pg_catalog.pg_namespace n1
  on  n1.oid = c1.relnamespace)
 inner join pg_catalog.pg_attribute a1
  on  a1.attrelid = c1.oid
  and  a1.attnum = conkey[i])
 inner join pg_catalog.pg_class c2
  on  c2.oid = ref.confrelid)
 inner join pg_catalog.pg_namespace n2
  on  n2.oid = c2.relnamespace)
 inner join pg_catalog.pg_attribute a2
  on  a2.attrelid = c2.oid
  and  a2.attnum = confkey[i])
 left outer join pg_catalog.pg_constraint cn
  on cn.conrelid = ref.confrelid
  and cn.contype = 'p')
  order by ref.oid, ref.i
-- next
-- step: foreignKeys(table=orders) 
show max_identifier_length
-- next
-- step: foreignKeys(table=orders) 
select n.nspname, c.relname, a.attname, a.atttypid, t.typname, a.attnum, a.attlen, a.atttypmod, a.attnotnull, c.relhasrules, c.relkind, c.oid, pg_get_expr(d.adbin, d.adrelid), case t.typtype when 'd' then t.typbasetype else 0 end, t.typtypmod, 0, attidentity, c.relhassubclass from (((pg_catalog.pg_class c inner join pg_catalog.pg_namespace n on n.oid = c.relnamespace and c.oid = 2615) inner join pg_catalog.pg_attribute a on (not a.attisdropped) and a.attnum > 0 and a.attrelid = c.oid) inner join pg_catalog.pg_type t on t.oid = a.atttypid) left outer join pg_attrdef d on a.atthasdef and d.adrelid = a.attrelid and d.adnum = a.attnum order by n.nspname, c.relname, attnum
-- next
-- step: foreignKeys(foreignTable=orders) 
select	'voxhouse'::name as "PKTABLE_CAT",
	n2.nspname as "PKTABLE_SCHEM",
	c2.relname as "PKTABLE_NAME",
	a2.attname as "PKCOLUMN_NAME",
	'voxhouse'::name as "FKTABLE_CAT",
	n1.nspname as "FKTABLE_SCHEM",
	c1.relname as "FKTABLE_NAME",
	a1.attname as "FKCOLUMN_NAME",
	i::int2 as "KEY_SEQ",
	case ref.confupdtype
		when 'c' then 0::int2
		when 'n' then 2::int2
		when 'd' then 4::int2
		when 'r' then 1::int2
		else 3::int2
	end as "UPDATE_RULE",
	case ref.confdeltype
		when 'c' then 0::int2
		when 'n' then 2::int2
		when 'd' then 4::int2
		when 'r' then 1::int2
		else 3::int2
	end as "DELETE_RULE",
	ref.conname as "FK_NAME",
	cn.conname as "PK_NAME",
	case
		when ref.condeferrable then
			case
			when ref.condeferred then 5::int2
			else 6::int2
			end
		else 7::int2
	end as "DEFERRABILITY"
 from
 ((((((( (select cn.oid, conrelid, conkey, confrelid, confkey,
	 generate_series(array_lower(conkey, 1), array_upper(conkey, 1)) as i,
	 confupdtype, confdeltype, conname,
	 condeferrable, condeferred
  from pg_catalog.pg_constraint cn,
	pg_catalog.pg_class c,
	pg_catalog.pg_namespace n
  where contype = 'f' 
   and  conrelid = c.oid
   and  relname = 'orders'
   and  n.oid = c.relnamespace
   and  n.nspname = 'public'
 ) ref
 inner join pg_catalog.pg_class c1
  on c1.oid = ref.conrelid)
 inner join pg_catalog.pg_namespace n1
  on  n1.oid = c1.relnamespace)
 inner join pg_catalog.pg_attribute a1
  on  a1.attrelid = c1.oid
  and  a1.attnum = conkey[i])
 inner join pg_catalog.pg_class c2
  on  c2.oid = ref.confrelid)
 inner join pg_catalog.pg_namespace n2
  on  n2.oid = c2.relnamespace)
 inner join pg_catalog.pg_attribute a2
  on  a2.attrelid = c2.oid
  and  a2.attnum = confkey[i])
 left outer join pg_catalog.pg_constraint cn
  on cn.conrelid = ref.confrelid
  and cn.contype = 'p')
  order by ref.oid, ref.i
-- next
-- step: statistics(table=orders) 
select n.nspname, c.relname, a.attname, a.atttypid, t.typname, a.attnum, a.attlen, a.atttypmod, a.attnotnull, c.relhasrules, c.relkind, c.oid, pg_get_expr(d.adbin, d.adrelid), case t.typtype when 'd' then t.typbasetype else 0 end, t.typtypmod, 0, attidentity, c.relhassubclass from (((pg_catalog.pg_class c inner join pg_catalog.pg_namespace n on n.oid = c.relnamespace and c.relname = 'orders' and n.nspname = 'public') inner join pg_catalog.pg_attribute a on (not a.attisdropped) and a.attnum > 0 and a.attrelid = c.oid) inner join pg_catalog.pg_type t on t.oid = a.atttypid) left outer join pg_attrdef d on a.atthasdef and d.adrelid = a.attrelid and d.adnum = a.attnum order by n.nspname, c.relname, attnum
-- next
-- step: statistics(table=orders) 
select c.relname, i.indkey, i.indisunique, i.indisclustered, a.amname, c.relhasrules, n.nspname, c.oid, 0, i.indoption from pg_catalog.pg_index i, pg_catalog.pg_class c, pg_catalog.pg_class d, pg_catalog.pg_am a, pg_catalog.pg_namespace n where d.relname = 'orders' and n.nspname = 'public' and n.oid = d.relnamespace and d.oid = i.indrelid and i.indexrelid = c.oid and c.relam = a.oid order by i.indisprimary desc, i.indisunique, n.nspname, c.relname
-- next
-- step: rowIdColumns(table=orders) 
select c.relhasrules, c.relkind, 0 as relhasoids from pg_catalog.pg_namespace u, pg_catalog.pg_class c where u.oid = c.relnamespace and c.relname = 'orders' and u.nspname = 'public'
-- next
-- step: procedures() 
select ''::varchar as PROCEDURE_CAT, nspname as PROCEDURE_SCHEM, proname as PROCEDURE_NAME, ''::varchar as NUM_INPUT_PARAMS, ''::varchar as NUM_OUTPUT_PARAMS, ''::varchar as NUM_RESULT_SETS, ''::varchar as REMARKS, case when prorettype = 0 then 1::int2 else 2::int2 end as PROCEDURE_TYPE from pg_catalog.pg_namespace, pg_catalog.pg_proc where pg_proc.pronamespace = pg_namespace.oid
-- next
-- step: procedures(procedure=order_count) 
select ''::varchar as PROCEDURE_CAT, nspname as PROCEDURE_SCHEM, proname as PROCEDURE_NAME, ''::varchar as NUM_INPUT_PARAMS, ''::varchar as NUM_OUTPUT_PARAMS, ''::varchar as NUM_RESULT_SETS, ''::varchar as REMARKS, case when prorettype = 0 then 1::int2 else 2::int2 end as PROCEDURE_TYPE from pg_catalog.pg_namespace, pg_catalog.pg_proc where pg_proc.pronamespace = pg_namespace.oid and nspname like 'public' and proname like 'order_count'
-- next
-- step: procedureColumns(procedure=order_count) 
select proname, proretset, prorettype, pronargs, proargtypes, nspname, p.oid, atttypid, attname, proargnames, proargmodes, proallargtypes from ((pg_catalog.pg_namespace n inner join pg_catalog.pg_proc p on p.pronamespace = n.oid) inner join pg_type t on t.oid = p.prorettype) left outer join pg_attribute a on a.attrelid = t.typrelid  and attnum > 0 and not attisdropped where has_function_privilege(p.oid, 'EXECUTE') and proname like 'order_count' order by nspname, proname, p.oid, attnum
-- next
-- step: queries 
BEGIN
-- next
-- step: queries 
SAVEPOINT _EXEC_SVP_0x55ff2fa443a0
-- next
-- step: queries 
-- params: ["100", "kitchen"]
SELECT * FROM orders WHERE order_id >= $1 AND category = $2
-- next
-- step: queries 
SAVEPOINT _per_query_svp_;DEALLOCATE "_PLAN0x55ff2fa54640";RELEASE _per_query_svp_
-- next
-- step: queries 
RELEASE _EXEC_SVP_0x55ff2fa443a0;SAVEPOINT _EXEC_SVP_0x55ff2fa443a0;SELECT * FROM customers
-- next
-- step: queries 
RELEASE _EXEC_SVP_0x55ff2fa443a0;SAVEPOINT _EXEC_SVP_0x55ff2fa443a0;SELECT upper(name), cast(extract(year from created_at) as integer), '2026-01-01'::date FROM customers WHERE created_at > '2026-01-01 00:00:00'::timestamp
-- next
-- step: queries 
RELEASE _EXEC_SVP_0x55ff2fa443a0;SAVEPOINT _EXEC_SVP_0x55ff2fa443a0;SELECT category, count(*) AS n, sum(amount) AS total FROM orders GROUP BY category ORDER BY category
-- next
-- step: insert 
RELEASE _EXEC_SVP_0x55ff2fa443a0;SAVEPOINT _EXEC_SVP_0x55ff2fa443a0;CREATE TABLE scratch (id int, name varchar(20))
-- next
-- step: insert 
RELEASE _EXEC_SVP_0x55ff2fa443a0;SAVEPOINT _EXEC_SVP_0x55ff2fa443a0
-- next
-- step: insert 
-- params: ["1", "a"]
INSERT INTO scratch VALUES ($1, $2)
-- next
-- step: insert 
-- again
RELEASE _EXEC_SVP_0x55ff2fa443a0;SAVEPOINT _EXEC_SVP_0x55ff2fa443a0
-- next
-- step: insert 
-- again
SAVEPOINT _per_query_svp_;DEALLOCATE "_PLAN0x55ff2fa54640";RELEASE _per_query_svp_
-- next
-- step: insert 
RELEASE _EXEC_SVP_0x55ff2fa443a0;SAVEPOINT _EXEC_SVP_0x55ff2fa443a0;DROP TABLE scratch
-- next
-- step: insert 
COMMIT
-- next
-- step: insert 
-- error: 42703
SELECT nosuch FROM orders
-- next
-- session: 2
-- step: connect UseDeclareFetch=1;Fetch=2;
-- again
SET DateStyle = 'ISO';SET extra_float_digits = 2;show transaction_isolation
-- next
-- step: queries UseDeclareFetch=1;Fetch=2;
BEGIN;declare "SQL_CUR0x55ff2fa52ce0" cursor with hold for SELECT * FROM orders WHERE order_id >= 100 AND category = 'kitchen';fetch 2 in "SQL_CUR0x55ff2fa52ce0"
-- next
-- step: queries UseDeclareFetch=1;Fetch=2;
SAVEPOINT _EXEC_SVP_0x55ff2fa44370;fetch 2 in "SQL_CUR0x55ff2fa52ce0"
-- next
-- step: queries UseDeclareFetch=1;Fetch=2;
close "SQL_CUR0x55ff2fa52ce0"
-- next
-- step: queries UseDeclareFetch=1;Fetch=2;
declare "SQL_CUR0x55ff2fa52ce0" cursor with hold for SELECT * FROM customers;fetch 2 in "SQL_CUR0x55ff2fa52ce0"
-- next
-- step: queries UseDeclareFetch=1;Fetch=2;
RELEASE _EXEC_SVP_0x55ff2fa44370;SAVEPOINT _EXEC_SVP_0x55ff2fa44370;fetch 2 in "SQL_CUR0x55ff2fa52ce0"
-- next
-- step: queries UseDeclareFetch=1;Fetch=2;
fetch 2 in "SQL_CUR0x55ff2fa52ce0"
-- next
-- step: queries UseDeclareFetch=1;Fetch=2;
-- again
close "SQL_CUR0x55ff2fa52ce0"
-- next
-- step: queries UseDeclareFetch=1;Fetch=2;
declare "SQL_CUR0x55ff2fa52ce0" cursor with hold for SELECT upper(name), cast(extract(year from created_at) as integer), '2026-01-01'::date FROM customers WHERE created_at > '2026-01-01 00:00:00'::timestamp;fetch 2 in "SQL_CUR0x55ff2fa52ce0"
-- next
-- step: queries UseDeclareFetch=1;Fetch=2;
-- again
RELEASE _EXEC_SVP_0x55ff2fa44370;SAVEPOINT _EXEC_SVP_0x55ff2fa44370;fetch 2 in "SQL_CUR0x55ff2fa52ce0"
-- next
-- step: queries UseDeclareFetch=1;Fetch=2;
-- again
close "SQL_CUR0x55ff2fa52ce0"
-- next
-- step: queries UseDeclareFetch=1;Fetch=2;
declare "SQL_CUR0x55ff2fa52ce0" cursor with hold for SELECT category, count(*) AS n, sum(amount) AS total FROM orders GROUP BY category ORDER BY category;fetch 2 in "SQL_CUR0x55ff2fa52ce0"
-- next
-- step: queries UseDeclareFetch=1;Fetch=2;
-- again
RELEASE _EXEC_SVP_0x55ff2fa44370;SAVEPOINT _EXEC_SVP_0x55ff2fa44370;fetch 2 in "SQL_CUR0x55ff2fa52ce0"
-- next
-- step: insert UseDeclareFetch=1;Fetch=2;
-- again
close "SQL_CUR0x55ff2fa52ce0"
-- next
-- step: insert UseDeclareFetch=1;Fetch=2;
CREATE TABLE scratch (id int, name varchar(20))
-- next
-- step: insert UseDeclareFetch=1;Fetch=2;
RELEASE _EXEC_SVP_0x55ff2fa44370;SAVEPOINT _EXEC_SVP_0x55ff2fa44370
-- next
-- step: insert UseDeclareFetch=1;Fetch=2;
-- again
RELEASE _EXEC_SVP_0x55ff2fa44370;SAVEPOINT _EXEC_SVP_0x55ff2fa44370
-- next
-- step: insert UseDeclareFetch=1;Fetch=2;
SAVEPOINT _per_query_svp_;DEALLOCATE "_PLAN0x55ff2fa52ce0";RELEASE _per_query_svp_
-- next
-- step: insert UseDeclareFetch=1;Fetch=2;
RELEASE _EXEC_SVP_0x55ff2fa44370;SAVEPOINT _EXEC_SVP_0x55ff2fa44370;DROP TABLE scratch
-- next
-- step: insert UseDeclareFetch=1;Fetch=2;
-- again
COMMIT
-- next
-- step: insert UseDeclareFetch=1;Fetch=2;
-- error: 42703
BEGIN;declare "SQL_CUR0x55ff2fa52ce0" cursor with hold for SELECT nosuch FROM orders;fetch 2 in "SQL_CUR0x55ff2fa52ce0"
-- next
-- step: insert UseDeclareFetch=1;Fetch=2;
ROLLBACK
-- next
-- session: 3
-- step: connect UseServerSidePrepare=0;Protocol=7.4-2;
-- again
SET DateStyle = 'ISO';SET extra_float_digits = 2;show transaction_isolation
-- next
-- step: queries UseServerSidePrepare=0;Protocol=7.4-2;
BEGIN;SELECT * FROM orders WHERE order_id >= 100 AND category = 'kitchen'
-- next
-- step: queries UseServerSidePrepare=0;Protocol=7.4-2;
SAVEPOINT _EXEC_SVP_0x55ff2fa44370;SELECT * FROM customers
-- next
-- step: queries UseServerSidePrepare=0;Protocol=7.4-2;
RELEASE _EXEC_SVP_0x55ff2fa44370;SAVEPOINT _EXEC_SVP_0x55ff2fa44370;SELECT upper(name), cast(extract(year from created_at) as integer), '2026-01-01'::date FROM customers WHERE created_at > '2026-01-01 00:00:00'::timestamp
-- next
-- step: queries UseServerSidePrepare=0;Protocol=7.4-2;
RELEASE _EXEC_SVP_0x55ff2fa44370;SAVEPOINT _EXEC_SVP_0x55ff2fa44370;SELECT category, count(*) AS n, sum(amount) AS total FROM orders GROUP BY category ORDER BY category
-- next
-- step: insert UseServerSidePrepare=0;Protocol=7.4-2;
RELEASE _EXEC_SVP_0x55ff2fa44370;SAVEPOINT _EXEC_SVP_0x55ff2fa44370;CREATE TABLE scratch (id int, name varchar(20))
-- next
-- step: insert UseServerSidePrepare=0;Protocol=7.4-2;
RELEASE _EXEC_SVP_0x55ff2fa44370;SAVEPOINT _EXEC_SVP_0x55ff2fa44370;INSERT INTO scratch VALUES (1, 'a')
-- next
-- step: insert UseServerSidePrepare=0;Protocol=7.4-2;
RELEASE _EXEC_SVP_0x55ff2fa44370;SAVEPOINT _EXEC_SVP_0x55ff2fa44370;INSERT INTO scratch VALUES (2, NULL)
-- next
-- step: insert UseServerSidePrepare=0;Protocol=7.4-2;
-- again
RELEASE _EXEC_SVP_0x55ff2fa44370;SAVEPOINT _EXEC_SVP_0x55ff2fa44370;DROP TABLE scratch
-- next
-- step: insert UseServerSidePrepare=0;Protocol=7.4-2;
-- again
COMMIT
-- next
-- session: 4
-- step: connect Protocol=7.4-0;ShowSystemTables=1;ShowOidColumn=1;RowVersioning=1;
-- again
SET DateStyle = 'ISO';SET extra_float_digits = 2;show transaction_isolation
-- next
-- step: tables() Protocol=7.4-0;ShowSystemTables=1;ShowOidColumn=1;RowVersioning=1;
select relname, nspname, relkind from pg_catalog.pg_class c, pg_catalog.pg_namespace n where relkind in ('r', 'v', 'm', 'f', 'p') and n.oid = relnamespace order by nspname, relname
-- next
-- step: tables(schema=public, tableType=TABLE) Protocol=7.4-0;ShowSystemTables=1;ShowOidColumn=1;RowVersioning=1;
select relname, nspname, relkind from pg_catalog.pg_class c, pg_catalog.pg_namespace n where relkind in ('r', 'v', 'm', 'f', 'p') and nspname like 'public' and n.oid = relnamespace order by nspname, relname
-- next
-- step: tables(table=ord%) Protocol=7.4-0;ShowSystemTables=1;ShowOidColumn=1;RowVersioning=1;
select relname, nspname, relkind from pg_catalog.pg_class c, pg_catalog.pg_namespace n where relkind in ('r', 'v', 'm', 'f', 'p') and nspname like 'public' and relname like 'ord%' and n.oid = relnamespace order by nspname, relname
-- next
-- step: tables(catalog=, schema=%, table=) Protocol=7.4-0;ShowSystemTables=1;ShowOidColumn=1;RowVersioning=1;
select NULL, nspname, NULL from pg_catalog.pg_namespace n where true order by nspname
-- next
-- step: queries Protocol=7.4-0;ShowSystemTables=1;ShowOidColumn=1;RowVersioning=1;
-- again
BEGIN
-- next
-- step: queries Protocol=7.4-0;ShowSystemTables=1;ShowOidColumn=1;RowVersioning=1;
-- again
SAVEPOINT _per_query_svp_;DEALLOCATE "_PLAN0x55ff2fa52ce0";RELEASE _per_query_svp_
-- next
-- step: queries Protocol=7.4-0;ShowSystemTables=1;ShowOidColumn=1;RowVersioning=1;
SELECT * FROM customers
-- next
-- step: queries Protocol=7.4-0;ShowSystemTables=1;ShowOidColumn=1;RowVersioning=1;
SELECT upper(name), cast(extract(year from created_at) as integer), '2026-01-01'::date FROM customers WHERE created_at > '2026-01-01 00:00:00'::timestamp
-- next
-- step: queries Protocol=7.4-0;ShowSystemTables=1;ShowOidColumn=1;RowVersioning=1;
SELECT category, count(*) AS n, sum(amount) AS total FROM orders GROUP BY category ORDER BY category
-- next
-- step: insert Protocol=7.4-0;ShowSystemTables=1;ShowOidColumn=1;RowVersioning=1;
-- again
CREATE TABLE scratch (id int, name varchar(20))
-- next
-- step: insert Protocol=7.4-0;ShowSystemTables=1;ShowOidColumn=1;RowVersioning=1;
-- again
SAVEPOINT _per_query_svp_;DEALLOCATE "_PLAN0x55ff2fa52ce0";RELEASE _per_query_svp_
-- next
-- step: insert Protocol=7.4-0;ShowSystemTables=1;ShowOidColumn=1;RowVersioning=1;
DROP TABLE scratch
-- next
-- step: insert Protocol=7.4-0;ShowSystemTables=1;ShowOidColumn=1;RowVersioning=1;
-- again
COMMIT
