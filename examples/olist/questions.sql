-- Questions to the Olist sample, with the answers for the sample of 15,000 orders that the README names.
-- check.py computes the same numbers from the files, without Voxhouse.

-- Is every row accounted for?
--   customers 15000 · items 17071 · orders 15000 · payments 15733 · products 9255 · reviews 14944, rejects 0
SELECT 'customers' AS file, count(*) AS rows FROM o.customers WHERE source_system = 'olist'
UNION ALL SELECT 'items', count(*) FROM olist.items
UNION ALL SELECT 'orders', count(*) FROM o.orders WHERE source_system = 'olist'
UNION ALL SELECT 'payments', count(*) FROM olist.payments
UNION ALL SELECT 'products', count(*) FROM olist.products
UNION ALL SELECT 'reviews', count(*) FROM x.feedback WHERE source_system = 'olist'
UNION ALL SELECT 'rejects', count(*) FROM system.rejects WHERE file LIKE '%olist/%'
ORDER BY file;

-- How many people are they, how many came back, and what did they pay?
--   15000 records · 14904 people · 93 with several orders · 2377484.75 BRL
SELECT
    sum(records) AS records,
    count(*) AS people,
    count(*) FILTER (WHERE orders > 1) AS with_several_orders,
    sum(revenue) AS revenue,
    currency
FROM c360.customers
GROUP BY currency;

-- What does a late delivery do to the review?
--   late 2.60 (n 1135) · on time 4.28 (n 13383)
SELECT
    CASE WHEN o.delivered_at > o.promised_at THEN 'late' ELSE 'on time' END AS delivery,
    round(avg(f.score), 2) AS mean_score,
    round(mean_low(f.score), 2) AS low,
    round(mean_high(f.score), 2) AS high,
    count(*) AS n
FROM x.feedback f
JOIN o.orders o ON o.source_system = f.source_system AND o.order_id = f.order_id
WHERE f.source_system = 'olist' AND f.metric = 'rating' AND o.delivered_at IS NOT NULL
GROUP BY 1
ORDER BY 1;

-- And to repurchase? (each delivery, and whether its customer ordered again within 90 days after it)
--   late 0.11 % (n 927) · on time 0.27 % (n 10457): hardly anybody comes back at all
WITH purchases AS (
    SELECT m.customer_id, o.order_id, o.ordered_at, o.delivered_at, o.promised_at
    FROM o.orders o
    JOIN id.order_customers m ON m.source_system = o.source_system AND m.order_id = o.order_id
    WHERE o.source_system = 'olist' AND (o.status IS DISTINCT FROM 'cancelled')
),
deliveries AS (
    SELECT
        d.order_id,
        d.delivered_at > d.promised_at AS late,
        max(CASE WHEN p.order_id IS NULL THEN 0.0 ELSE 1.0 END) AS repurchased
    FROM purchases d
    LEFT JOIN purchases p
        ON p.customer_id = d.customer_id
        AND p.ordered_at > d.delivered_at
        AND p.ordered_at <= d.delivered_at + interval '90 days'
    WHERE d.delivered_at + interval '90 days' <= (SELECT max(ordered_at) FROM purchases)
    GROUP BY d.order_id, d.delivered_at, d.promised_at
)
SELECT
    CASE WHEN late THEN 'late' ELSE 'on time' END AS delivery,
    round(100 * avg(repurchased), 2) AS repurchase_percent,
    count(*) AS n
FROM deliveries
GROUP BY late
ORDER BY late DESC;

-- Where do deliveries come late most often? (states with at least 200 deliveries)
--   RJ 13.1 (1835) · BA 13.0 (486) · ES 11.3 (300) · PE 10.9 (256) · SC 8.9 (529)
SELECT
    c.segment AS state,
    round(100 * avg(CASE WHEN o.delivered_at > o.promised_at THEN 1.0 ELSE 0.0 END), 1) AS late_percent,
    count(*) AS n
FROM o.orders o
JOIN o.customers c ON c.source_system = o.source_system AND c.record_id = o.key_value
WHERE o.source_system = 'olist' AND o.delivered_at IS NOT NULL
GROUP BY c.segment
HAVING count(*) >= 200
ORDER BY avg(CASE WHEN o.delivered_at > o.promised_at THEN 1.0 ELSE 0.0 END) DESC
LIMIT 5;

-- Do satisfied customers come back? (first review of each, the 90 days after it)
--   high: 19 of 8753, 0.22 % [0.14, 0.34], 2591 censored
--   middle: 1 of 1021, 0.10 % [0.02, 0.55], 237 censored
--   low: 4 of 1678, 0.24 % [0.09, 0.61], 392 censored
SELECT
    score_band,
    repurchasers,
    customers,
    round(100 * repurchase_rate, 2) AS repurchase_percent,
    round(100 * repurchase_low, 2) AS low,
    round(100 * repurchase_high, 2) AS high,
    excluded_censored
FROM roi.linkage
WHERE metric = 'rating' AND currency = 'BRL'
ORDER BY score_band;
