-- Questions to the citizens' messages, with the answers for the samples that the README names.
-- check.py computes the same numbers from the files, without Voxhouse.

-- Is every row accounted for?
--   answered 1668 · voted 2547 · cases 1668, rejects 0
SELECT touchpoint AS file, count(*) AS rows
FROM x.feedback
WHERE source_system = 'wenzheng'
GROUP BY touchpoint
UNION ALL SELECT 'cases', count(*) FROM o.cases WHERE source_system = 'wenzheng'
ORDER BY file;

SELECT count(*) AS rejects FROM system.rejects WHERE file LIKE '%gov/%';

-- How many people wrote, and how many wrote more than once?
--   3485 people · 412 wrote more than once · one account wrote 93 messages
SELECT
    count(*) AS people,
    count(*) FILTER (WHERE complaints > 1) AS wrote_again,
    max(complaints) AS most
FROM c360.customers
WHERE complaints > 0;

-- How long do answers take?
--   1668 answered · mean 20.69 days · median 11.07 days · 254 over 30 days
SELECT
    count(*) AS answered,
    round(avg(date_part('epoch', first_response_at) - date_part('epoch', opened_at)) / 86400, 2) AS mean_days,
    round(median(date_part('epoch', first_response_at) - date_part('epoch', opened_at)) / 86400, 2) AS median_days,
    count(*) FILTER (WHERE first_response_at > opened_at + interval '30 days') AS over_30_days
FROM o.cases
WHERE source_system = 'wenzheng';

-- Do people whose answer took long write again? (the first answered message of each,
-- and whether another message followed within 90 days of the answer, windows fully observed)
--   within 15 days: 2.60 % (847 people) · over 15 days: 1.46 % (547 people)
WITH answers AS (
    SELECT
        m.customer_id,
        k.first_response_at,
        k.first_response_at > k.opened_at + interval '15 days' AS slow,
        row_number() OVER (PARTITION BY m.customer_id ORDER BY k.opened_at, k.case_id) AS turn
    FROM o.cases k
    JOIN id.case_customers m ON m.source_system = k.source_system AND m.case_id = k.case_id
    WHERE k.source_system = 'wenzheng'
),
followed AS (
    SELECT
        a.customer_id,
        a.slow,
        max(CASE WHEN f.feedback_id IS NULL THEN 0.0 ELSE 1.0 END) AS again
    FROM answers a
    LEFT JOIN (
        SELECT m.customer_id, f.feedback_id, f.occurred_at
        FROM x.feedback f
        JOIN id.feedback_customers m ON m.source_system = f.source_system AND m.feedback_id = f.feedback_id
        WHERE f.source_system = 'wenzheng'
    ) f ON f.customer_id = a.customer_id
        AND f.occurred_at > a.first_response_at
        AND f.occurred_at <= a.first_response_at + interval '90 days'
    WHERE a.turn = 1
        AND a.first_response_at + interval '90 days'
            <= (SELECT max(occurred_at) FROM x.feedback WHERE source_system = 'wenzheng')
    GROUP BY a.customer_id, a.slow
)
SELECT
    CASE WHEN slow THEN 'over 15 days' ELSE 'within 15 days' END AS answered,
    round(100 * avg(again), 2) AS wrote_again_percent,
    count(*) AS people
FROM followed
GROUP BY slow
ORDER BY slow;

-- What do they write about?
SELECT word, count(*) AS messages
FROM (SELECT unnest(keywords(comment, 8)) AS word FROM x.feedback WHERE source_system = 'wenzheng')
GROUP BY word
ORDER BY messages DESC, word
LIMIT 15;
