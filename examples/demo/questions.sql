-- Questions to the bundled example. Every rate stands beside its n, and beside its interval where there is one.

-- How many records of how many systems are how many customers?
SELECT
    sum(records) AS records,
    count(*) AS customers,
    count(*) FILTER (WHERE source_systems > 1) AS customers_in_several_systems
FROM c360.customers;

-- What is the Net Promoter Score?
SELECT
    round(nps(score), 1) AS nps,
    round(nps_low(score), 1) AS nps_low,
    round(nps_high(score), 1) AS nps_high,
    nps_n(score) AS n
FROM x.feedback
WHERE metric = 'nps';

-- What do people complain about most?
SELECT touchpoint AS topic, count(*) AS complaints, round(100.0 * count(*) / sum(count(*)) OVER (), 1) AS percent
FROM x.feedback
WHERE kind = 'complaint'
GROUP BY touchpoint
ORDER BY complaints DESC, topic
LIMIT 5;

-- In which words?
SELECT language, word, count(*) AS complaints
FROM (SELECT language, unnest(keywords(comment, 5)) AS word FROM x.feedback WHERE kind = 'complaint')
GROUP BY language, word
ORDER BY complaints DESC, word
LIMIT 10;

-- Do satisfied customers come back? (first NPS answer of each, the 90 days after it)
SELECT
    score_band,
    customers,
    round(100 * repurchase_rate, 1) AS repurchase_percent,
    round(100 * repurchase_low, 1) AS low,
    round(100 * repurchase_high, 1) AS high,
    round(mean_revenue, 2) AS mean_revenue,
    currency,
    excluded_censored
FROM roi.linkage
WHERE metric = 'nps' AND currency IS NOT NULL
ORDER BY repurchase_rate DESC;

-- What does a late delivery do to the review?
SELECT
    CASE WHEN o.delivered_at > o.promised_at THEN 'late' ELSE 'on time' END AS delivery,
    round(avg(f.score), 2) AS mean_stars,
    round(mean_low(f.score), 2) AS low,
    round(mean_high(f.score), 2) AS high,
    count(*) AS n
FROM x.feedback f
JOIN o.orders o ON o.source_system = f.source_system AND o.order_id = f.order_id
WHERE f.metric = 'rating' AND o.delivered_at IS NOT NULL
GROUP BY 1
ORDER BY 1;

-- And to repurchase? (each delivery, and whether its customer ordered again within 90 days after it)
WITH purchases AS (
    SELECT m.customer_id, o.order_id, o.ordered_at, o.delivered_at, o.promised_at
    FROM o.orders o
    JOIN id.order_customers m ON m.source_system = o.source_system AND m.order_id = o.order_id
    WHERE o.source_system = 'shop' AND (o.status IS DISTINCT FROM 'cancelled')
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
    round(100 * avg(repurchased), 1) AS repurchase_percent,
    count(*) AS n
FROM deliveries
GROUP BY late
ORDER BY late DESC;

-- Which city's courier got worse in the last quarter?
WITH deliveries AS (
    SELECT
        (regexp_match(CAST(attributes AS text), '"city":"([^"]*)"'))[1] AS city,
        (regexp_match(CAST(attributes AS text), '"courier":"([^"]*)"'))[1] AS courier,
        CASE WHEN delivered_at > promised_at THEN 100.0 ELSE 0.0 END AS late,
        ordered_at >= timestamptz '2026-04-01 00:00:00+08:00' AS recent
    FROM o.orders
    WHERE source_system = 'shop' AND delivered_at IS NOT NULL
)
SELECT
    city,
    courier,
    round(avg(late) FILTER (WHERE NOT recent), 1) AS late_percent_before,
    count(*) FILTER (WHERE NOT recent) AS n_before,
    round(avg(late) FILTER (WHERE recent), 1) AS late_percent_since,
    count(*) FILTER (WHERE recent) AS n_since
FROM deliveries
GROUP BY city, courier
ORDER BY avg(late) FILTER (WHERE recent) - avg(late) FILTER (WHERE NOT recent) DESC NULLS LAST
LIMIT 5;

-- What was not loaded, and why?
SELECT reason, count(*) AS rows
FROM system.rejects
GROUP BY reason
ORDER BY rows DESC, reason;
