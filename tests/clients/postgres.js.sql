-- client: postgres.js 3.4.9
-- session: 1
-- step: query
-- params: []
      select b.oid, b.typarray
      from pg_catalog.pg_type a
      left join pg_catalog.pg_type b on b.oid = a.typelem
      where a.typcategory = 'A'
      group by b.oid, b.typarray
      order by b.oid
    
-- next
-- step: query
-- params: ["CN"]
SELECT * FROM customers WHERE country = $1
-- next
-- step: query
-- params: ["{gift}"]
SELECT tags FROM orders WHERE tags && $1
-- next
-- step: cursor, transaction
begin 
-- next
-- step: cursor, transaction
-- params: []
SELECT * FROM orders
-- next
-- step: cursor, transaction
-- params: []
commit
