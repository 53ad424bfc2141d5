-- client: qlik (ODBC connector package), restated
-- source: Qlik's documentation of the PostgreSQL connector; metadata goes through ODBC, in psqlodbc.sql
-- step: load of a table
SELECT "customer_id",
	"name",
	"score",
	"created_at"
FROM "public"."customers"
-- next
-- step: incremental load
SELECT * FROM "public"."orders" WHERE "ordered_at" >= '2026-02-01 00:00:00'
-- next
-- step: owners
select distinct table_schema from information_schema.tables
-- next
-- step: direct discovery
SELECT "category", COUNT(*), SUM("amount") FROM "public"."orders" WHERE ("category" IN ('kitchen', 'living')) GROUP BY "category"
