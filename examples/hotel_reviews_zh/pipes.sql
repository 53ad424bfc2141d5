-- Chinese homestay reviews to x.feedback, the hotel list to hotels.hotels.

CREATE PIPE hotel_list FROM 'landing/hotels/list/' INTO hotels.hotels
FORMAT csv OPTIONS (header 'true', delimiter ',') ON CALL AS
SELECT
    name,
    trim(address) AS address,
    location AS district,
    score AS listed_score,
    comment_number AS listed_reviews,
    price
FROM source;

-- order_id numbers the rows of the file, it is nobody's order. Reviews taken over from partner sites carry the words
-- 信息不存在 (no such information) for a score: unknown, so NULL. Every duplicate is kept. User names are masked or
-- stand for a whole partner site, so they are no key: these reviews belong to no customer.
CREATE PIPE hotel_reviews FROM 'landing/hotels/reviews/' INTO x.feedback
FORMAT csv OPTIONS (header 'true', delimiter ',') ON CALL AS
SELECT
    order_id AS feedback_id,
    'ctrip' AS source_system,
    'review' AS kind,
    CASE user_name WHEN '去哪儿网用户' THEN 'qunar' WHEN '艺龙网用户' THEN 'elong' ELSE 'ctrip' END AS channel,
    hotel_name AS touchpoint,
    'rating' AS metric,
    nullif(user_score, '信息不存在') AS score,
    1 AS scale_min,
    5 AS scale_max,
    content AS comment,
    'zh' AS language,
    replace(post_time, '发表于', '') || 'T00:00:00+08:00' AS occurred_at,
    '{"url":"' || trim(replace(url, chr(10), '')) || '","user_level":"' || coalesce(user_level, '') || '"}' AS attributes
FROM source;
