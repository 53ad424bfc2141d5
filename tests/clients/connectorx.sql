-- client: connectorx 0.4.6
-- session: 1
-- step: read_sql, protocol binary

-- next
-- step: read_sql, protocol binary
-- params: []
COPY (SELECT order_id, amount, ordered_at FROM orders) TO STDOUT WITH BINARY
-- next
-- session: 2
-- step: read_sql, protocol cursor
-- params: []
SELECT order_id, amount, ordered_at FROM orders
-- next
-- session: 3
-- step: read_sql, protocol csv
-- params: []
COPY (SELECT order_id, amount, ordered_at FROM orders) TO STDOUT WITH CSV
-- next
-- session: 4
-- step: read_sql in partitions
-- params: []
SELECT min(CXTMPTAB_RANGE.order_id), max(CXTMPTAB_RANGE.order_id) FROM (SELECT order_id, quantity FROM orders) AS CXTMPTAB_RANGE
-- next
-- session: 5
-- step: read_sql in partitions
-- params: []
COPY (SELECT * FROM (SELECT order_id, quantity FROM orders) AS CXTMPTAB_PART WHERE 100 <= CXTMPTAB_PART.order_id AND CXTMPTAB_PART.order_id < 102) TO STDOUT WITH BINARY
