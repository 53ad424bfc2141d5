-- client: finebi 6 and quick bi, restated
-- source: their documentation of PostgreSQL connections (help.fanruan.com, help.aliyun.com); both read metadata through pgjdbc, in pgjdbc.sql; the SQL shapes are those their documentation shows
-- step: test of the connection
-- params: []
select 1
-- next
-- step: tables with comments
-- params: ["public"]
select c.relname as 表名, cast(obj_description(c.oid, 'pg_class') as varchar) as 注释 from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relkind in ('r', 'v', 'm', 'p') order by c.relname
-- next
-- step: columns with comments
-- params: ["public", "orders"]
select a.attnum as 序号, a.attname as 列名, t.typname as 类型, a.attlen as 长度, a.atttypmod as 精度, a.attnotnull as 非空, b.description as 备注
from pg_class c join pg_namespace n on n.oid = c.relnamespace, pg_attribute a left outer join pg_description b on a.attrelid = b.objoid and a.attnum = b.objsubid, pg_type t
where n.nspname = $1 and c.relname = $2 and a.attnum > 0 and a.attrelid = c.oid and a.atttypid = t.oid
order by a.attnum
-- next
-- step: preview
-- params: []
select * from (select * from "public"."orders") t limit 1000
-- next
-- step: a chart in Chinese
-- params: []
SELECT T_A."category" AS "类别", TO_CHAR(T_A."ordered_at", 'YYYY-MM') AS "月份", SUM(T_A."amount") AS "金额", COUNT(DISTINCT T_A."customer_id") AS "客户数" FROM "public"."orders" AS T_A WHERE T_A."ordered_at" >= TO_TIMESTAMP('2026-01-01 00:00:00', 'YYYY-MM-DD HH24:MI:SS') GROUP BY T_A."category", TO_CHAR(T_A."ordered_at", 'YYYY-MM') ORDER BY "月份" ASC, "金额" DESC LIMIT 1000 OFFSET 0
-- next
-- step: year on year
-- params: []
SELECT y, total, total / NULLIF(LAG(total) OVER (ORDER BY y), 0) - 1 AS "同比" FROM (SELECT EXTRACT(YEAR FROM ordered_at) AS y, SUM(amount) AS total FROM orders GROUP BY 1) t ORDER BY y
-- next
-- step: number of rows of a page
-- params: []
SELECT COUNT(1) AS total FROM (SELECT category FROM orders GROUP BY category) t
