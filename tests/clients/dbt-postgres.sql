-- client: dbt-postgres 1.9.1
-- session: 1
-- step: dbt debug
BEGIN
-- next
-- step: dbt debug
select 1 as id
-- next
-- session: 2
-- step: dbt seed
-- again
BEGIN
-- next
-- step: dbt seed
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "connection_name": "list_voxhouse"} */

    select distinct nspname from pg_namespace
  
-- next
-- session: 3
-- step: dbt seed
-- again
BEGIN
-- next
-- step: dbt seed
-- again
BEGIN
-- next
-- step: dbt seed
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "connection_name": "create_voxhouse_dbt"} */
create schema if not exists "dbt"
-- next
-- step: dbt seed
COMMIT
-- next
-- session: 4
-- step: dbt seed
-- again
BEGIN
-- next
-- step: dbt seed
-- again
BEGIN
-- next
-- step: dbt seed
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "connection_name": "list_voxhouse_dbt"} */
select
      'voxhouse' as database,
      tablename as name,
      schemaname as schema,
      'table' as type
    from pg_tables
    where schemaname ilike 'dbt'
    union all
    select
      'voxhouse' as database,
      viewname as name,
      schemaname as schema,
      'view' as type
    from pg_views
    where schemaname ilike 'dbt'
    union all
    select
      'voxhouse' as database,
      matviewname as name,
      schemaname as schema,
      'materialized_view' as type
    from pg_matviews
    where schemaname ilike 'dbt'
  
-- next
-- step: dbt seed
ROLLBACK
-- next
-- session: 5
-- step: dbt seed
-- again
BEGIN
-- next
-- step: dbt seed
-- again
BEGIN
-- next
-- step: dbt seed
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "connection_name": "master"} */
select distinct
        dependent_namespace.nspname as dependent_schema,
        dependent_class.relname as dependent_name,
        referenced_namespace.nspname as referenced_schema,
        referenced_class.relname as referenced_name

    -- Query for views: views are entries in pg_class with an entry in pg_rewrite, but we avoid
    -- a seq scan on pg_rewrite by leveraging the fact there is an "internal" row in pg_depend for
    -- the view...
    from pg_class as dependent_class
    join pg_namespace as dependent_namespace on dependent_namespace.oid = dependent_class.relnamespace
    join pg_depend as dependent_depend on dependent_depend.refobjid = dependent_class.oid
        and dependent_depend.classid = 'pg_rewrite'::regclass
        and dependent_depend.refclassid = 'pg_class'::regclass
        and dependent_depend.deptype = 'i'

    -- ... and via pg_depend (that has a row per column, hence the need for "distinct" above, and
    -- making sure to exclude the internal row to avoid a view appearing to depend on itself)...
    join pg_depend as joining_depend on joining_depend.objid = dependent_depend.objid
        and joining_depend.classid = 'pg_rewrite'::regclass
        and joining_depend.refclassid = 'pg_class'::regclass
        and joining_depend.refobjid != dependent_depend.refobjid

    -- ... we can find the tables they query from in pg_class, but excluding system tables. Note we
    -- don't need need to exclude _dependent_ system tables, because they only query from other
    -- system tables, and so are automatically excluded by excluding _referenced_ system tables
    join pg_class as referenced_class on referenced_class.oid = joining_depend.refobjid
    join pg_namespace as referenced_namespace on referenced_namespace.oid = referenced_class.relnamespace
        and referenced_namespace.nspname != 'information_schema'
        and referenced_namespace.nspname not like 'pg\_%'

    order by
        dependent_schema, dependent_name, referenced_schema, referenced_name;
-- next
-- step: dbt seed
-- again
ROLLBACK
-- next
-- step: dbt seed
-- again
BEGIN
-- next
-- step: dbt seed
-- again
BEGIN
-- next
-- step: dbt seed
-- again
COMMIT
-- next
-- session: 6
-- step: dbt seed
-- again
BEGIN
-- next
-- step: dbt seed
-- again
BEGIN
-- next
-- step: dbt seed
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "seed.shop.regions"} */

    create table "voxhouse"."dbt"."regions" ("country" text,"region" text)
  
-- next
-- step: dbt seed
          insert into "voxhouse"."dbt"."regions" ("country", "region") values
          ('CN','Asia'),('FR','Europe')
      
-- next
-- step: dbt seed
-- again
COMMIT
-- next
-- session: 7
-- step: dbt seed
-- again
BEGIN
-- next
-- step: dbt seed
-- again
BEGIN
-- next
-- step: dbt seed
-- again
COMMIT
-- next
-- session: 8
-- step: dbt run
-- again
BEGIN
-- next
-- session: 9
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
-- again
ROLLBACK
-- next
-- session: 10
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
-- again
ROLLBACK
-- next
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
-- again
COMMIT
-- next
-- session: 11
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.by_region"} */

  
    

  create  table "voxhouse"."dbt"."by_region__dbt_tmp"
  
  
    as
  
  (
    
select region, count(*) as n from "voxhouse"."public"."customers" c join "voxhouse"."dbt"."regions" r on r.country = c.country group by region
  );
  
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.by_region"} */

    create  index if not exists
  "9f08bfe65f019bd98a742c9b817d4797"
  on "voxhouse"."dbt"."by_region__dbt_tmp" 
  (region)
  
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.by_region"} */
alter table "voxhouse"."dbt"."by_region__dbt_tmp" rename to "by_region"
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.by_region"} */

    
  
  comment on table "voxhouse"."dbt"."by_region" is $dbt_comment_literal_block$customers of each region$dbt_comment_literal_block$;

  
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.by_region"} */

      select
          column_name,
          data_type,
          character_maximum_length,
          numeric_precision,
          numeric_scale

      from "voxhouse".INFORMATION_SCHEMA.columns
      where table_name = 'by_region'
        
        and table_schema = 'dbt'
        
      order by ordinal_position

  
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.by_region"} */

    
  
  
    
    
    comment on column "voxhouse"."dbt"."by_region".region is $dbt_comment_literal_block$the region$dbt_comment_literal_block$;
  

  
-- next
-- step: dbt run
-- again
COMMIT
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.by_region"} */
drop table if exists "voxhouse"."dbt"."by_region__dbt_backup" cascade
-- next
-- session: 12
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.days"} */

      
  
    

  create  table "voxhouse"."dbt"."days"
  
  
    as
  
  (
    
select ordered_at::date as day, count(*) as n from "voxhouse"."public"."orders"  group by 1
  );
  
  
-- next
-- step: dbt run
-- again
COMMIT
-- next
-- session: 13
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.kept"} */

        
    create materialized view if not exists "voxhouse"."dbt"."kept" as 
select category, sum(amount) as amount from "voxhouse"."public"."orders" group by 1;

    
    
-- next
-- step: dbt run
-- again
COMMIT
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.kept"} */
drop materialized view if exists "voxhouse"."dbt"."kept__dbt_backup" cascade
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.kept"} */
drop materialized view if exists "voxhouse"."dbt"."kept__dbt_tmp" cascade
-- next
-- session: 14
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.lines"} */

      
  
    

  create  table "voxhouse"."dbt"."lines"
  
  
    as
  
  (
    
select order_id, line, amount from "voxhouse"."public"."orders"
  );
  
  
-- next
-- step: dbt run
-- again
COMMIT
-- next
-- session: 15
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.merged"} */

      
  
    

  create  table "voxhouse"."dbt"."merged"
  
  
    as
  
  (
    
select customer_id, name from "voxhouse"."public"."customers"
  );
  
  
-- next
-- step: dbt run
-- again
COMMIT
-- next
-- session: 16
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.big_regions"} */

  create view "voxhouse"."dbt"."big_regions__dbt_tmp"
    
    
  as (
    select * from "voxhouse"."dbt"."by_region" where n > 0
  );
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.big_regions"} */
alter table "voxhouse"."dbt"."big_regions__dbt_tmp" rename to "big_regions"
-- next
-- step: dbt run
-- again
COMMIT
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.big_regions"} */
drop view if exists "voxhouse"."dbt"."big_regions__dbt_backup" cascade
-- next
-- session: 17
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
-- again
COMMIT
-- next
-- session: 18
-- step: dbt snapshot
-- again
BEGIN
-- next
-- session: 19
-- step: dbt snapshot
-- again
BEGIN
-- next
-- step: dbt snapshot
-- again
BEGIN
-- next
-- step: dbt snapshot
-- again
ROLLBACK
-- next
-- session: 20
-- step: dbt snapshot
-- again
BEGIN
-- next
-- step: dbt snapshot
-- again
BEGIN
-- next
-- step: dbt snapshot
-- again
ROLLBACK
-- next
-- step: dbt snapshot
-- again
BEGIN
-- next
-- step: dbt snapshot
-- again
BEGIN
-- next
-- step: dbt snapshot
-- again
COMMIT
-- next
-- session: 21
-- step: dbt snapshot
-- again
BEGIN
-- next
-- step: dbt snapshot
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "snapshot.shop.who"} */
select * from (
        
    

    select *,
        md5(coalesce(cast(customer_id as varchar ), '')
         || '|' || coalesce(cast(now()::timestamp without time zone as varchar ), '')
        ) as dbt_scd_id,
        now()::timestamp without time zone as dbt_updated_at,
        now()::timestamp without time zone as dbt_valid_from,
        
  
  coalesce(nullif(now()::timestamp without time zone, now()::timestamp without time zone), null)
  as dbt_valid_to
from (
        select customer_id, name from "voxhouse"."public"."customers"
    ) sbq



    ) as __dbt_sbq
    where false
    limit 0
-- next
-- step: dbt snapshot
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "snapshot.shop.who"} */
select * from (
        select now()::timestamp without time zone as dbt_snapshot_time
    ) as __dbt_sbq
    where false
    limit 0
-- next
-- step: dbt snapshot
-- again
BEGIN
-- next
-- step: dbt snapshot
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "snapshot.shop.who"} */

      
  
    

  create  table "voxhouse"."dbt"."who"
  
  
    as
  
  (
    
    

    select *,
        md5(coalesce(cast(customer_id as varchar ), '')
         || '|' || coalesce(cast(now()::timestamp without time zone as varchar ), '')
        ) as dbt_scd_id,
        now()::timestamp without time zone as dbt_updated_at,
        now()::timestamp without time zone as dbt_valid_from,
        
  
  coalesce(nullif(now()::timestamp without time zone, now()::timestamp without time zone), null)
  as dbt_valid_to
from (
        select customer_id, name from "voxhouse"."public"."customers"
    ) sbq



  );
  
  
-- next
-- step: dbt snapshot
-- again
COMMIT
-- next
-- session: 22
-- step: dbt snapshot
-- again
BEGIN
-- next
-- step: dbt snapshot
-- again
BEGIN
-- next
-- step: dbt snapshot
-- again
COMMIT
-- next
-- session: 23
-- step: dbt run
-- again
BEGIN
-- next
-- session: 24
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
-- again
ROLLBACK
-- next
-- session: 25
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
-- again
ROLLBACK
-- next
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
-- again
COMMIT
-- next
-- session: 26
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.by_region"} */

    create  index if not exists
  "c0e82189bf5c4580f1c7ca968815eb09"
  on "voxhouse"."dbt"."by_region__dbt_tmp" 
  (region)
  
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.by_region"} */
alter table "voxhouse"."dbt"."by_region" rename to "by_region__dbt_backup"
-- next
-- step: dbt run
-- again
COMMIT
-- next
-- session: 27
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.days"} */

    
  
    

  create temporary table "days__dbt_tmp104153206426"
  
  
    as
  
  (
    
select ordered_at::date as day, count(*) as n from "voxhouse"."public"."orders"  where ordered_at > (select max(day) from "voxhouse"."dbt"."days")  group by 1
  );
  
  
-- next
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.days"} */

      select
          column_name,
          data_type,
          character_maximum_length,
          numeric_precision,
          numeric_scale

      from INFORMATION_SCHEMA.columns
      where table_name = 'days__dbt_tmp104153206426'
        
      order by ordinal_position

  
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.days"} */

      select
          column_name,
          data_type,
          character_maximum_length,
          numeric_precision,
          numeric_scale

      from "voxhouse".INFORMATION_SCHEMA.columns
      where table_name = 'days'
        
        and table_schema = 'dbt'
        
      order by ordinal_position

  
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.days"} */

      
        
        
        delete from "voxhouse"."dbt"."days" as DBT_INTERNAL_DEST
        where (day) in (
            select distinct day
            from "days__dbt_tmp104153206426" as DBT_INTERNAL_SOURCE
        );

    

    insert into "voxhouse"."dbt"."days" ("day", "n")
    (
        select "day", "n"
        from "days__dbt_tmp104153206426"
    )
  
-- next
-- step: dbt run
-- again
COMMIT
-- next
-- session: 28
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.kept"} */

    
    select
        i.relname                                   as name,
        m.amname                                    as method,
        ix.indisunique                              as "unique",
        array_to_string(array_agg(a.attname), ',')  as column_names
    from pg_index ix
    join pg_class i
        on i.oid = ix.indexrelid
    join pg_am m
        on m.oid=i.relam
    join pg_class t
        on t.oid = ix.indrelid
    join pg_namespace n
        on n.oid = t.relnamespace
    join pg_attribute a
        on a.attrelid = t.oid
        and a.attnum = ANY(ix.indkey)
    where t.relname = 'kept'
      and n.nspname = 'dbt'
      and t.relkind in ('r', 'm')
    group by 1, 2, 3
    order by 1, 2, 3

  
-- next
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.kept"} */

        
    refresh materialized view "voxhouse"."dbt"."kept"

    
-- next
-- step: dbt run
-- again
COMMIT
-- next
-- session: 29
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.lines"} */

    
  
    

  create temporary table "lines__dbt_tmp104154070002"
  
  
    as
  
  (
    
select order_id, line, amount from "voxhouse"."public"."orders"
  );
  
  
-- next
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.lines"} */

      select
          column_name,
          data_type,
          character_maximum_length,
          numeric_precision,
          numeric_scale

      from INFORMATION_SCHEMA.columns
      where table_name = 'lines__dbt_tmp104154070002'
        
      order by ordinal_position

  
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.lines"} */

      select
          column_name,
          data_type,
          character_maximum_length,
          numeric_precision,
          numeric_scale

      from "voxhouse".INFORMATION_SCHEMA.columns
      where table_name = 'lines'
        
        and table_schema = 'dbt'
        
      order by ordinal_position

  
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.lines"} */

      insert into "voxhouse"."dbt"."lines" ("order_id", "line", "amount")
    (
        select "order_id", "line", "amount"
        from "lines__dbt_tmp104154070002"
    )


  
-- next
-- step: dbt run
-- again
COMMIT
-- next
-- session: 30
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.merged"} */

    
  
    

  create temporary table "merged__dbt_tmp104154305285"
  
  
    as
  
  (
    
select customer_id, name from "voxhouse"."public"."customers"
  );
  
  
-- next
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.merged"} */

      select
          column_name,
          data_type,
          character_maximum_length,
          numeric_precision,
          numeric_scale

      from INFORMATION_SCHEMA.columns
      where table_name = 'merged__dbt_tmp104154305285'
        
      order by ordinal_position

  
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.merged"} */

      select
          column_name,
          data_type,
          character_maximum_length,
          numeric_precision,
          numeric_scale

      from "voxhouse".INFORMATION_SCHEMA.columns
      where table_name = 'merged'
        
        and table_schema = 'dbt'
        
      order by ordinal_position

  
-- next
-- step: dbt run
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.merged"} */

      -- back compat for old kwarg name
  
  
        
            
            
            
            
        
    

    

    merge into "voxhouse"."dbt"."merged" as DBT_INTERNAL_DEST
        using "merged__dbt_tmp104154305285" as DBT_INTERNAL_SOURCE
        on ((DBT_INTERNAL_SOURCE.customer_id = DBT_INTERNAL_DEST.customer_id))

    
    when matched then update set
        "customer_id" = DBT_INTERNAL_SOURCE."customer_id","name" = DBT_INTERNAL_SOURCE."name"
    

    when not matched then insert
        ("customer_id", "name")
    values
        ("customer_id", "name")


  
-- next
-- step: dbt run
-- again
COMMIT
-- next
-- session: 31
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
-- again
COMMIT
-- next
-- session: 32
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
-- again
BEGIN
-- next
-- step: dbt run
-- again
COMMIT
-- next
-- session: 33
-- step: dbt snapshot
-- again
BEGIN
-- next
-- session: 34
-- step: dbt snapshot
-- again
BEGIN
-- next
-- step: dbt snapshot
-- again
BEGIN
-- next
-- step: dbt snapshot
-- again
ROLLBACK
-- next
-- session: 35
-- step: dbt snapshot
-- again
BEGIN
-- next
-- step: dbt snapshot
-- again
BEGIN
-- next
-- step: dbt snapshot
-- again
ROLLBACK
-- next
-- step: dbt snapshot
-- again
BEGIN
-- next
-- step: dbt snapshot
-- again
BEGIN
-- next
-- step: dbt snapshot
-- again
COMMIT
-- next
-- session: 36
-- step: dbt snapshot
-- again
BEGIN
-- next
-- step: dbt snapshot
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "snapshot.shop.who"} */
select * from (
        select name from (
                select customer_id, name from "voxhouse"."public"."customers"
            ) subq
    ) as __dbt_sbq
    where false
    limit 0

    
-- next
-- step: dbt snapshot
-- again
BEGIN
-- next
-- step: dbt snapshot
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "snapshot.shop.who"} */

      select
          column_name,
          data_type,
          character_maximum_length,
          numeric_precision,
          numeric_scale

      from "voxhouse".INFORMATION_SCHEMA.columns
      where table_name = 'who'
        
        and table_schema = 'dbt'
        
      order by ordinal_position

  
-- next
-- step: dbt snapshot
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "snapshot.shop.who"} */

        
  
    

  create temporary table "who__dbt_tmp104208102737"
  
  
    as
  
  (
    
    
    with snapshot_query as (

        select customer_id, name from "voxhouse"."public"."customers"

    ),

    snapshotted_data as (

        select *, 
    
        customer_id as dbt_unique_key
    

        from "voxhouse"."dbt"."who"
        where
            
                dbt_valid_to is null
            

    ),

    insertions_source_data as (

        select *, 
    
        customer_id as dbt_unique_key
    
,
            now()::timestamp without time zone as dbt_updated_at,
            now()::timestamp without time zone as dbt_valid_from,
            
  
  coalesce(nullif(now()::timestamp without time zone, now()::timestamp without time zone), null)
  as dbt_valid_to
,
            md5(coalesce(cast(customer_id as varchar ), '')
         || '|' || coalesce(cast(now()::timestamp without time zone as varchar ), '')
        ) as dbt_scd_id

        from snapshot_query
    ),

    updates_source_data as (

        select *, 
    
        customer_id as dbt_unique_key
    
,
            now()::timestamp without time zone as dbt_updated_at,
            now()::timestamp without time zone as dbt_valid_from,
            now()::timestamp without time zone as dbt_valid_to

        from snapshot_query
    ),

    insertions as (

        select
            'insert' as dbt_change_type,
            source_data.*

        from insertions_source_data as source_data
        left outer join snapshotted_data
            on 
    
        snapshotted_data.dbt_unique_key = source_data.dbt_unique_key
    

            where 
    
        snapshotted_data.dbt_unique_key is null
    

            or (
    
        snapshotted_data.dbt_unique_key is not null
    
 and (
               (snapshotted_data."name" != source_data."name"
        or
        (
            ((snapshotted_data."name" is null) and not (source_data."name" is null))
            or
            ((not snapshotted_data."name" is null) and (source_data."name" is null))
        ))
            )

        )

    ),

    updates as (

        select
            'update' as dbt_change_type,
            source_data.*,
            snapshotted_data.dbt_scd_id

        from updates_source_data as source_data
        join snapshotted_data
            on 
    
        snapshotted_data.dbt_unique_key = source_data.dbt_unique_key
    

        where (
            (snapshotted_data."name" != source_data."name"
        or
        (
            ((snapshotted_data."name" is null) and not (source_data."name" is null))
            or
            ((not snapshotted_data."name" is null) and (source_data."name" is null))
        ))
        )
    )

    select * from insertions
    union all
    select * from updates

  );
  
    
-- next
-- step: dbt snapshot
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "snapshot.shop.who"} */

      select
          column_name,
          data_type,
          character_maximum_length,
          numeric_precision,
          numeric_scale

      from INFORMATION_SCHEMA.columns
      where table_name = 'who__dbt_tmp104208102737'
        
      order by ordinal_position

  
-- next
-- step: dbt snapshot
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "snapshot.shop.who"} */
select * from (
        
    
    with snapshot_query as (

        select customer_id, name from "voxhouse"."public"."customers"

    ),

    snapshotted_data as (

        select *, 
    
        customer_id as dbt_unique_key
    

        from "voxhouse"."dbt"."who"
        where
            
                dbt_valid_to is null
            

    ),

    insertions_source_data as (

        select *, 
    
        customer_id as dbt_unique_key
    
,
            now()::timestamp without time zone as dbt_updated_at,
            now()::timestamp without time zone as dbt_valid_from,
            
  
  coalesce(nullif(now()::timestamp without time zone, now()::timestamp without time zone), null)
  as dbt_valid_to
,
            md5(coalesce(cast(customer_id as varchar ), '')
         || '|' || coalesce(cast(now()::timestamp without time zone as varchar ), '')
        ) as dbt_scd_id

        from snapshot_query
    ),

    updates_source_data as (

        select *, 
    
        customer_id as dbt_unique_key
    
,
            now()::timestamp without time zone as dbt_updated_at,
            now()::timestamp without time zone as dbt_valid_from,
            now()::timestamp without time zone as dbt_valid_to

        from snapshot_query
    ),

    insertions as (

        select
            'insert' as dbt_change_type,
            source_data.*

        from insertions_source_data as source_data
        left outer join snapshotted_data
            on 
    
        snapshotted_data.dbt_unique_key = source_data.dbt_unique_key
    

            where 
    
        snapshotted_data.dbt_unique_key is null
    

            or (
    
        snapshotted_data.dbt_unique_key is not null
    
 and (
               (snapshotted_data."name" != source_data."name"
        or
        (
            ((snapshotted_data."name" is null) and not (source_data."name" is null))
            or
            ((not snapshotted_data."name" is null) and (source_data."name" is null))
        ))
            )

        )

    ),

    updates as (

        select
            'update' as dbt_change_type,
            source_data.*,
            snapshotted_data.dbt_scd_id

        from updates_source_data as source_data
        join snapshotted_data
            on 
    
        snapshotted_data.dbt_unique_key = source_data.dbt_unique_key
    

        where (
            (snapshotted_data."name" != source_data."name"
        or
        (
            ((snapshotted_data."name" is null) and not (source_data."name" is null))
            or
            ((not snapshotted_data."name" is null) and (source_data."name" is null))
        ))
        )
    )

    select * from insertions
    union all
    select * from updates

    ) as __dbt_sbq
    where false
    limit 0
-- next
-- step: dbt snapshot
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "snapshot.shop.who"} */

      update "voxhouse"."dbt"."who"
    set dbt_valid_to = DBT_INTERNAL_SOURCE.dbt_valid_to
    from "who__dbt_tmp104208102737" as DBT_INTERNAL_SOURCE
    where DBT_INTERNAL_SOURCE.dbt_scd_id::text = "voxhouse"."dbt"."who".dbt_scd_id::text
      and DBT_INTERNAL_SOURCE.dbt_change_type::text in ('update'::text, 'delete'::text)
      
        and "voxhouse"."dbt"."who".dbt_valid_to is null;
      


    insert into "voxhouse"."dbt"."who" ("customer_id", "name", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to", "dbt_scd_id")
    select DBT_INTERNAL_SOURCE."customer_id",DBT_INTERNAL_SOURCE."name",DBT_INTERNAL_SOURCE."dbt_updated_at",DBT_INTERNAL_SOURCE."dbt_valid_from",DBT_INTERNAL_SOURCE."dbt_valid_to",DBT_INTERNAL_SOURCE."dbt_scd_id"
    from "who__dbt_tmp104208102737" as DBT_INTERNAL_SOURCE
    where DBT_INTERNAL_SOURCE.dbt_change_type::text = 'insert'::text;

  
-- next
-- step: dbt snapshot
-- again
COMMIT
-- next
-- session: 37
-- step: dbt snapshot
-- again
BEGIN
-- next
-- step: dbt snapshot
-- again
BEGIN
-- next
-- step: dbt snapshot
-- again
COMMIT
-- next
-- session: 38
-- step: dbt seed --full-refresh
-- again
BEGIN
-- next
-- session: 39
-- step: dbt seed --full-refresh
-- again
BEGIN
-- next
-- step: dbt seed --full-refresh
-- again
BEGIN
-- next
-- step: dbt seed --full-refresh
-- again
ROLLBACK
-- next
-- session: 40
-- step: dbt seed --full-refresh
-- again
BEGIN
-- next
-- step: dbt seed --full-refresh
-- again
BEGIN
-- next
-- step: dbt seed --full-refresh
-- again
ROLLBACK
-- next
-- step: dbt seed --full-refresh
-- again
BEGIN
-- next
-- step: dbt seed --full-refresh
-- again
BEGIN
-- next
-- step: dbt seed --full-refresh
-- again
COMMIT
-- next
-- session: 41
-- step: dbt seed --full-refresh
-- again
BEGIN
-- next
-- step: dbt seed --full-refresh
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "seed.shop.regions"} */
drop table if exists "voxhouse"."dbt"."regions" cascade
-- next
-- step: dbt seed --full-refresh
-- again
BEGIN
-- next
-- step: dbt seed --full-refresh
-- again
COMMIT
-- next
-- session: 42
-- step: dbt seed --full-refresh
-- again
BEGIN
-- next
-- step: dbt seed --full-refresh
-- again
BEGIN
-- next
-- step: dbt seed --full-refresh
-- again
COMMIT
-- next
-- session: 43
-- step: dbt test
-- again
BEGIN
-- next
-- step: dbt test
-- again
BEGIN
-- next
-- step: dbt test
-- again
ROLLBACK
-- next
-- session: 44
-- step: dbt test
-- again
BEGIN
-- next
-- step: dbt test
-- again
BEGIN
-- next
-- step: dbt test
-- again
ROLLBACK
-- next
-- step: dbt test
-- again
BEGIN
-- next
-- step: dbt test
-- again
BEGIN
-- next
-- step: dbt test
-- again
COMMIT
-- next
-- session: 45
-- step: dbt test
-- again
BEGIN
-- next
-- step: dbt test
-- again
BEGIN
-- next
-- step: dbt test
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "test.shop.accepted_values_by_region_region__Asia__Europe.3066ad5346"} */

    
    select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (
      
    
  
    
    

with all_values as (

    select
        region as value_field,
        count(*) as n_records

    from "voxhouse"."dbt"."by_region"
    group by region

)

select *
from all_values
where value_field not in (
    'Asia','Europe'
)



  
  
      
    ) dbt_internal_test
-- next
-- step: dbt test
-- again
ROLLBACK
-- next
-- session: 46
-- step: dbt test
-- again
BEGIN
-- next
-- step: dbt test
-- again
BEGIN
-- next
-- step: dbt test
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "test.shop.not_null_by_region_region.fb5c17e70c"} */

    
    select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (
      
    
  
    
    



select region
from "voxhouse"."dbt"."by_region"
where region is null



  
  
      
    ) dbt_internal_test
-- next
-- step: dbt test
-- again
ROLLBACK
-- next
-- session: 47
-- step: dbt test
-- again
BEGIN
-- next
-- step: dbt test
-- again
BEGIN
-- next
-- step: dbt test
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "test.shop.relationships_by_region_region__region__ref_regions_.6127624e4a"} */

    
    select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (
      
    
  
    
    

with child as (
    select region as from_field
    from "voxhouse"."dbt"."by_region"
    where region is not null
),

parent as (
    select region as to_field
    from "voxhouse"."dbt"."regions"
)

select
    from_field

from child
left join parent
    on child.from_field = parent.to_field

where parent.to_field is null



  
  
      
    ) dbt_internal_test
-- next
-- step: dbt test
-- again
ROLLBACK
-- next
-- session: 48
-- step: dbt test
-- again
BEGIN
-- next
-- step: dbt test
-- again
BEGIN
-- next
-- step: dbt test
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "test.shop.unique_by_region_region.042a68932e"} */

    
    select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (
      
    
  
    
    

select
    region as unique_field,
    count(*) as n_records

from "voxhouse"."dbt"."by_region"
where region is not null
group by region
having count(*) > 1



  
  
      
    ) dbt_internal_test
-- next
-- step: dbt test
-- again
ROLLBACK
-- next
-- session: 49
-- step: dbt test
-- again
BEGIN
-- next
-- step: dbt test
-- again
BEGIN
-- next
-- step: dbt test
-- again
COMMIT
-- next
-- session: 50
-- step: dbt docs generate
-- again
BEGIN
-- next
-- step: dbt docs generate
-- again
BEGIN
-- next
-- step: dbt docs generate
-- again
ROLLBACK
-- next
-- session: 51
-- step: dbt docs generate
-- again
BEGIN
-- next
-- step: dbt docs generate
-- again
BEGIN
-- next
-- step: dbt docs generate
-- again
ROLLBACK
-- next
-- session: 52
-- step: dbt docs generate
-- again
BEGIN
-- next
-- step: dbt docs generate
-- again
BEGIN
-- next
-- step: dbt docs generate
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "connection_name": "voxhouse.information_schema"} */

    
    

    select
        'voxhouse' as table_database,
        sch.nspname as table_schema,
        tbl.relname as table_name,
        case tbl.relkind
            when 'v' then 'VIEW'
            when 'm' then 'MATERIALIZED VIEW'
            else 'BASE TABLE'
        end as table_type,
        tbl_desc.description as table_comment,
        col.attname as column_name,
        col.attnum as column_index,
        pg_catalog.format_type(col.atttypid, col.atttypmod) as column_type,
        col_desc.description as column_comment,
        pg_get_userbyid(tbl.relowner) as table_owner

    from pg_catalog.pg_namespace sch
    join pg_catalog.pg_class tbl on tbl.relnamespace = sch.oid
    join pg_catalog.pg_attribute col on col.attrelid = tbl.oid
    left outer join pg_catalog.pg_description tbl_desc on (tbl_desc.objoid = tbl.oid and tbl_desc.objsubid = 0)
    left outer join pg_catalog.pg_description col_desc on (col_desc.objoid = tbl.oid and col_desc.objsubid = col.attnum)
    where ((upper(sch.nspname) = upper('dbt') and
           upper(tbl.relname) = upper('merged')) or (upper(sch.nspname) = upper('dbt') and
           upper(tbl.relname) = upper('kept')) or (upper(sch.nspname) = upper('dbt') and
           upper(tbl.relname) = upper('lines')) or (upper(sch.nspname) = upper('dbt') and
           upper(tbl.relname) = upper('regions')) or (upper(sch.nspname) = upper('dbt') and
           upper(tbl.relname) = upper('big_regions')) or (upper(sch.nspname) = upper('dbt') and
           upper(tbl.relname) = upper('days')) or (upper(sch.nspname) = upper('dbt') and
           upper(tbl.relname) = upper('by_region')) or (upper(sch.nspname) = upper('dbt') and
           upper(tbl.relname) = upper('who')) or (upper(sch.nspname) = upper('public') and
           upper(tbl.relname) = upper('customers')) or (upper(sch.nspname) = upper('public') and
           upper(tbl.relname) = upper('orders')))
      and not pg_is_other_temp_schema(sch.oid) -- not a temporary schema belonging to another session
      and tbl.relpersistence in ('p', 'u') -- [p]ermanent table or [u]nlogged table. Exclude [t]emporary tables
      and tbl.relkind in ('r', 'v', 'f', 'p', 'm') -- o[r]dinary table, [v]iew, [f]oreign table, [p]artitioned table, [m]aterialized view. Other values are [i]ndex, [S]equence, [c]omposite type, [t]OAST table
      and col.attnum > 0 -- negative numbers are used for system columns such as oid
      and not col.attisdropped -- column as not been dropped

    order by
        sch.nspname,
        tbl.relname,
        col.attnum
-- next
-- step: dbt docs generate
-- again
ROLLBACK
-- next
-- session: 53
-- step: dbt run --full-refresh --select days
-- again
BEGIN
-- next
-- session: 54
-- step: dbt run --full-refresh --select days
-- again
BEGIN
-- next
-- step: dbt run --full-refresh --select days
-- again
BEGIN
-- next
-- step: dbt run --full-refresh --select days
-- again
ROLLBACK
-- next
-- session: 55
-- step: dbt run --full-refresh --select days
-- again
BEGIN
-- next
-- step: dbt run --full-refresh --select days
-- again
BEGIN
-- next
-- step: dbt run --full-refresh --select days
-- again
ROLLBACK
-- next
-- step: dbt run --full-refresh --select days
-- again
BEGIN
-- next
-- step: dbt run --full-refresh --select days
-- again
BEGIN
-- next
-- step: dbt run --full-refresh --select days
-- again
COMMIT
-- next
-- session: 56
-- step: dbt run --full-refresh --select days
-- again
BEGIN
-- next
-- step: dbt run --full-refresh --select days
-- again
BEGIN
-- next
-- step: dbt run --full-refresh --select days
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.days"} */

      
  
    

  create  table "voxhouse"."dbt"."days__dbt_tmp"
  
  
    as
  
  (
    
select ordered_at::date as day, count(*) as n from "voxhouse"."public"."orders"  group by 1
  );
  
  
-- next
-- step: dbt run --full-refresh --select days
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.days"} */
alter table "voxhouse"."dbt"."days" rename to "days__dbt_backup"
-- next
-- step: dbt run --full-refresh --select days
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.days"} */
alter table "voxhouse"."dbt"."days__dbt_tmp" rename to "days"
-- next
-- step: dbt run --full-refresh --select days
-- again
COMMIT
-- next
-- step: dbt run --full-refresh --select days
/* {"app": "dbt", "dbt_version": "1.10.23", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.days"} */
drop table if exists "voxhouse"."dbt"."days__dbt_backup" cascade
-- next
-- session: 57
-- step: dbt run --full-refresh --select days
-- again
BEGIN
-- next
-- step: dbt run --full-refresh --select days
-- again
BEGIN
-- next
-- step: dbt run --full-refresh --select days
-- again
COMMIT
