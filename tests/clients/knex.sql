-- client: knex 3.3.0
-- session: 1
-- step: hasTable, hasColumn, columnInfo
select version();
-- next
-- step: hasTable, hasColumn, columnInfo
-- params: ["orders"]
select * from information_schema.tables where table_name = $1 and table_schema = current_schema()
-- next
-- step: hasTable, hasColumn, columnInfo
-- params: ["orders", "amount"]
select * from information_schema.columns where table_name = $1 and column_name = $2 and table_schema = current_schema()
-- next
-- step: hasTable, hasColumn, columnInfo
-- params: ["orders"]
select * from information_schema.columns where table_name = $1 and table_catalog = current_database() and table_schema = current_schema()
-- next
-- step: hasTable, hasColumn, columnInfo
-- params: ["notes", "crm"]
select * from information_schema.columns where table_name = $1 and table_catalog = current_database() and table_schema = $2
-- next
-- step: query
-- params: ["5"]
select "category", sum("amount") as "total" from "orders" group by "category" order by "total" desc limit $1
-- next
-- step: query
-- params: ["CN", "FR", "1"]
select * from "customers" where "country" in ($1, $2) limit $3
-- next
-- step: query
-- params: ["%e%"]
select count(distinct "orders"."order_id") from "customers" inner join "orders" on "orders"."customer_id" = "customers"."customer_id" where "name" ilike $1
-- next
-- step: create, insert, drop
create table "scratch" ("id" integer, "name" varchar(255), "at" timestamptz, "more" json, constraint "scratch_pkey" primary key ("id"))
-- next
-- step: create, insert, drop
-- params: ["1", "a", "2", "b"]
insert into "scratch" ("id", "name") values ($1, $2), ($3, $4) returning "id"
-- next
-- step: create, insert, drop
-- params: ["1", "c"]
insert into "scratch" ("id", "name") values ($1, $2) on conflict ("id") do update set "id" = excluded."id", "name" = excluded."name"
-- next
-- step: create, insert, drop
alter table "scratch" add column "extra" text
-- next
-- step: create, insert, drop
BEGIN;
-- next
-- step: create, insert, drop
-- params: ["1"]
delete from "scratch" where "id" = $1
-- next
-- step: create, insert, drop
COMMIT;
-- next
-- step: create, insert, drop
drop table if exists "scratch"
