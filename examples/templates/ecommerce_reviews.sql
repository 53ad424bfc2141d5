-- Reviews of a marketplace shop, with what buyers add later (追评). Put exports under landing/reviews/.
--
-- A review and its follow-up are two rows: a follow-up replaces nothing, it has its own time and its own words, and
-- no score of its own. Reviews that the platform writes for silent buyers are kept without score and comment, and
-- marked: what nobody said is no opinion.

CREATE PIPE template_reviews FROM 'landing/reviews/' INTO x.feedback
FORMAT csv OPTIONS (null_markers '-') ON CALL AS
SELECT
    "订单编号" || ':' || "商品编号" || CASE part WHEN 'follow-up' THEN ':2' ELSE '' END AS feedback_id,
    'shop_reviews' AS source_system,
    'review' AS kind,
    'marketplace' AS channel,
    'product' AS touchpoint,
    'order_id' AS key_type,
    "订单编号" AS key_value,
    "订单编号" AS order_id,
    CASE WHEN part = 'review' AND NOT silent THEN 'rating' END AS metric,
    CASE WHEN part = 'review' AND NOT silent THEN "星级" END AS score,
    1 AS scale_min,
    5 AS scale_max,
    CASE WHEN part = 'follow-up' THEN "追评内容" WHEN NOT silent THEN "评价内容" END AS comment,
    'zh' AS language,
    (CASE part WHEN 'follow-up' THEN "追评时间" ELSE "评价时间" END) || '+08:00' AS occurred_at,
    json_build_object('product', "商品编号", 'part', part, 'default', silent, 'reply', "商家回复") AS attributes
FROM (
    SELECT s.*, coalesce(s."评价内容" IN ('此用户没有填写评价', '系统默认好评'), false) AS silent
    FROM source s
) r
CROSS JOIN (VALUES ('review'), ('follow-up')) AS parts(part)
WHERE part = 'review' OR "追评内容" IS NOT NULL;
