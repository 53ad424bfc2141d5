-- client: node-postgres 8.23.1
-- session: 1
-- step: query
-- params: ["CN", "3"]
SELECT * FROM customers WHERE country = $1 AND score > $2
-- next
-- step: query
-- params: ["1"]
SELECT name FROM customers WHERE customer_id = $1
-- next
-- step: query
SELECT 1; SELECT 2
-- next
-- step: query
-- params: ["{100,101}"]
SELECT count(*) FROM orders WHERE order_id = ANY($1)
-- next
-- step: pg-cursor
-- params: ["0"]
SELECT * FROM orders WHERE quantity > $1
-- next
-- step: pg-query-stream
-- params: []
SELECT * FROM customers
