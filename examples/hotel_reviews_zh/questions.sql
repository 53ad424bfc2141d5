-- Questions to the homestay reviews, with the answers for the sample of 2,637 reviews that the README names.
-- check.py computes the same numbers from the files, without Voxhouse.

-- Is every row accounted for, duplicates included, and how many have a score?
--   2637 reviews · 1374 scored · 884 with a text that stands elsewhere too · 0 rejects
SELECT
    count(*) AS reviews,
    count(score) AS scored,
    count(*) - count(DISTINCT comment) AS repeated_texts
FROM x.feedback
WHERE source_system = 'ctrip';

SELECT count(*) AS rejects FROM system.rejects WHERE file LIKE '%hotels/%';

-- How satisfied are guests, by the site they booked on?
--   ctrip 4.50 (1374 scored of 1377) · elong NULL (0 of 328) · qunar NULL (0 of 932): unknown, not 0
SELECT channel, round(avg(score), 2) AS mean_score, count(score) AS scored, count(*) AS reviews
FROM x.feedback
WHERE source_system = 'ctrip'
GROUP BY channel
ORDER BY channel;

-- Does a higher price go with a higher score?
--   below 100: 4.70 (284 scored) · 100 to 199: 4.47 (513) · 200 and above: 4.67 (370): no
SELECT
    CASE WHEN h.price < 100 THEN 'below 100' WHEN h.price < 200 THEN '100 to 199' ELSE '200 and above' END AS price_cny,
    round(avg(f.score), 2) AS mean_score,
    round(mean_low(f.score), 2) AS low,
    round(mean_high(f.score), 2) AS high,
    count(f.score) AS scored,
    count(DISTINCT h.name) AS hotels
FROM x.feedback f
JOIN hotels.hotels h ON h.name = f.touchpoint
WHERE f.source_system = 'ctrip'
GROUP BY 1
ORDER BY min(h.price);

-- Which hotels are best, and how many reviews have they?
--   重庆武隆仙女山之间堂客栈 4.78 (47) · 途涂客栈(武隆仙女山店) 4.75 (260) · 武隆多来福客栈 4.75 (239)
--   武隆仙女山陌陌客栈 4.74 (283) · 武隆强兴客栈 4.57 (40)
SELECT touchpoint AS hotel, round(avg(score), 2) AS mean_score, count(score) AS scored
FROM x.feedback
WHERE source_system = 'ctrip'
GROUP BY touchpoint
HAVING count(score) >= 30
ORDER BY avg(score) DESC
LIMIT 5;

-- What do they write about, satisfied or not?
SELECT
    word,
    count(*) AS reviews,
    count(*) FILTER (WHERE score >= 4) AS satisfied,
    count(*) FILTER (WHERE score < 4) AS not_satisfied
FROM (SELECT unnest(keywords(comment, 5)) AS word, score FROM x.feedback WHERE source_system = 'ctrip')
GROUP BY word
ORDER BY reviews DESC, word
LIMIT 10;
