-- Questions to the orders of a shop for records, with the answers for the sample of 14,093 customers that the README names.
-- check.py computes the same numbers with lifetimes.

-- How many customers, how many of them bought again, and what are they still going to spend in a year?
--   14093, 6862 of them again; 473905 dollars
SELECT count(*) AS customers, count(*) FILTER (WHERE frequency > 0) AS bought_again, round(sum(clv)) AS value
FROM clv('cdnow.orders', 'customer_id', 'ordered_on', 'amount');

-- Who is worth most?
SELECT customer, frequency, round(recency, 4), round(age, 4), round(p_alive, 4), round(expected_purchases, 3), round(clv, 1)
FROM clv('cdnow.orders', 'customer_id', 'ordered_on', 'amount')
ORDER BY clv DESC
LIMIT 5;

-- Of those who came first in January 1997, how many come back a month later, and a year later?
--   14.7 percent, then 6 to 7
SELECT period_number, customers, active, round(100 * retention, 1) AS percent
FROM cohort_retention('cdnow.orders', 'customer_id', 'ordered_on')
WHERE cohort_at = '1997-01-01' AND period_number IN (1, 12)
ORDER BY period_number;
