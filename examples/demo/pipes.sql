-- Pipes of the bundled example: each maps the export of one system to a canonical table.
-- Columns of CSV and NDJSON sources arrive as text; the table's contract casts and checks them row by row.

-- Customers: three systems, three shapes. Leading zeros of member_no survive because nothing guesses types.
CREATE PIPE demo_members FROM 'landing/demo/customers/shop/' INTO o.customers
FORMAT csv OPTIONS (header 'true', delimiter ',') ON CALL AS
SELECT
    member_id AS record_id,
    'shop' AS source_system,
    full_name AS name,
    mobile AS phone,
    email,
    unionid AS wechat_unionid,
    member_no,
    address,
    city,
    birthday AS birth_date,
    CASE gender WHEN 'F' THEN 'female' WHEN 'M' THEN 'male' END AS gender,
    tier AS segment,
    registered_at AS created_at,
    last_modified AS updated_at
FROM source;

-- A nickname is not a name: it goes to attributes.
CREATE PIPE demo_followers FROM 'landing/demo/customers/wechat/' INTO o.customers
FORMAT csv OPTIONS (header 'true', delimiter ',') ON CALL AS
SELECT
    openid AS record_id,
    'wechat' AS source_system,
    phone,
    openid AS wechat_openid,
    unionid AS wechat_unionid,
    city,
    subscribed_at AS created_at,
    updated_at,
    '{"nickname":"' || nickname || '","language":"' || language || '"}' AS attributes
FROM source;

CREATE PIPE demo_contacts FROM 'landing/demo/customers/hotline/' INTO o.customers
FORMAT csv OPTIONS (header 'true', delimiter ';') ON CALL AS
SELECT
    contact_no AS record_id,
    'hotline' AS source_system,
    caller_name AS name,
    caller_phone AS phone,
    first_called_on || 'T00:00:00+08:00' AS created_at
FROM source;

-- Orders: a Parquet file a month, typed by its writer.
CREATE PIPE demo_orders FROM 'landing/demo/orders/' INTO o.orders FORMAT parquet ON CALL AS
SELECT
    order_id,
    'shop' AS source_system,
    account_type AS key_type,
    account AS key_value,
    ordered_at,
    delivered_at,
    promised_at,
    status,
    currency,
    amount,
    margin,
    channel,
    product,
    category,
    shipping AS attributes
FROM source;

-- Feedback: five exports in gzipped NDJSON. source_system is 'shop' wherever order_id is the shop's.
CREATE PIPE demo_surveys FROM 'landing/demo/feedback/surveys/' INTO x.feedback FORMAT ndjson ON CALL AS
SELECT
    response_id AS feedback_id,
    'shop' AS source_system,
    'survey' AS kind,
    channel,
    CASE question WHEN 'nps' THEN 'delivery' WHEN 'csat' THEN 'hotline' END AS touchpoint,
    respondent_type AS key_type,
    respondent AS key_value,
    order_no AS order_id,
    question AS metric,
    answer AS score,
    CASE question WHEN 'nps' THEN 0 WHEN 'csat' THEN 1 END AS scale_min,
    CASE question WHEN 'nps' THEN 10 WHEN 'csat' THEN 5 END AS scale_max,
    verbatim AS comment,
    lang AS language,
    answered_at AS occurred_at,
    meta AS attributes
FROM source;

-- A review names no customer: it is the order's customer who wrote it.
CREATE PIPE demo_reviews FROM 'landing/demo/feedback/reviews/' INTO x.feedback FORMAT ndjson ON CALL AS
SELECT
    review_id AS feedback_id,
    'shop' AS source_system,
    'review' AS kind,
    'app' AS channel,
    'product page' AS touchpoint,
    order_no AS order_id,
    'rating' AS metric,
    stars AS score,
    1 AS scale_min,
    5 AS scale_max,
    text AS comment,
    lang AS language,
    posted_at AS occurred_at,
    extra AS attributes
FROM source;

CREATE PIPE demo_complaints FROM 'landing/demo/feedback/complaints/' INTO x.feedback FORMAT ndjson ON CALL AS
SELECT
    ticket AS feedback_id,
    'shop' AS source_system,
    'complaint' AS kind,
    via AS channel,
    topic AS touchpoint,
    'phone' AS key_type,
    caller AS key_value,
    order_no AS order_id,
    said AS comment,
    lang AS language,
    created_at AS occurred_at,
    '{"severity":' || severity || '}' AS attributes
FROM source;

CREATE PIPE demo_chats FROM 'landing/demo/feedback/chats/' INTO x.feedback FORMAT ndjson ON CALL AS
SELECT
    chat_id AS feedback_id,
    'wechat' AS source_system,
    'chat' AS kind,
    'wechat' AS channel,
    agent AS touchpoint,
    'wechat_openid' AS key_type,
    openid AS key_value,
    message AS comment,
    lang AS language,
    sent_at AS occurred_at
FROM source;

-- Posts name nobody we know: no key, so they belong to no customer.
CREATE PIPE demo_posts FROM 'landing/demo/feedback/social/' INTO x.feedback FORMAT ndjson ON CALL AS
SELECT
    post_id AS feedback_id,
    'social' AS source_system,
    'social' AS kind,
    platform AS channel,
    text AS comment,
    lang AS language,
    posted_at AS occurred_at,
    '{"likes":' || likes || '}' AS attributes
FROM source;

-- Operations beside orders.
CREATE PIPE demo_cases FROM 'landing/demo/cases/' INTO o.cases
FORMAT csv OPTIONS (header 'true', delimiter ',') ON CALL AS
SELECT
    case_no AS case_id,
    'hotline' AS source_system,
    'phone' AS key_type,
    phone AS key_value,
    opened_at,
    first_response_at,
    closed_at,
    reopened_at,
    topic,
    handling_cost AS cost,
    status
FROM source;

CREATE PIPE demo_memberships FROM 'landing/demo/subscriptions/' INTO o.subscriptions
FORMAT csv OPTIONS (header 'true', delimiter ',') ON CALL AS
SELECT
    sub_no AS subscription_id,
    'shop' AS source_system,
    account_type AS key_type,
    account AS key_value,
    plan,
    started_on || 'T00:00:00+08:00' AS started_at,
    ended_on || 'T00:00:00+08:00' AS ended_at,
    monthly_fee AS monthly_amount,
    currency
FROM source;

CREATE PIPE demo_costs FROM 'landing/demo/costs/' INTO o.costs
FORMAT csv OPTIONS (header 'true', delimiter ',') ON CALL AS
SELECT
    booking AS cost_id,
    programme,
    'CNY' AS currency,
    amount_yuan AS amount,
    spent_on || 'T00:00:00+08:00' AS occurred_at
FROM source;
