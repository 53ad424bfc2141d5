-- client: pg8000 1.31.6
-- session: 1
-- step: query with parameters
begin transaction
-- next
-- step: query with parameters
-- params: ["CN", "0"]
SELECT name, score FROM customers WHERE country = $1 AND customer_id > $2
-- next
-- step: query with parameters
SELECT category, count(*) AS n, sum(amount) AS total FROM orders GROUP BY category ORDER BY category
-- next
-- step: query with parameters
-- params: []
commit
