-- From the public Olist files to the canonical tables. Load payments, items and products before orders: the
-- orders pipe looks them up. The files' times carry no zone and are taken as UTC.

CREATE PIPE olist_payments FROM 'landing/olist/payments/' INTO olist.payments
FORMAT csv OPTIONS (header 'true', delimiter ',') ON CALL AS
SELECT order_id, payment_sequential, payment_type, payment_installments AS installments, payment_value
FROM source;

CREATE PIPE olist_items FROM 'landing/olist/items/' INTO olist.items
FORMAT csv OPTIONS (header 'true', delimiter ',') ON CALL AS
SELECT order_id, order_item_id, product_id, seller_id, price, freight_value
FROM source;

CREATE PIPE olist_products FROM 'landing/olist/products/' INTO olist.products
FORMAT csv OPTIONS (header 'true', delimiter ',') ON CALL AS
SELECT product_id, product_category_name AS category
FROM source;

-- customer_id is made anew for every order: it is the record. The person is customer_unique_id.
CREATE PIPE olist_customers FROM 'landing/olist/customers/' INTO o.customers
FORMAT csv OPTIONS (header 'true', delimiter ',') ON CALL AS
SELECT
    customer_id AS record_id,
    'olist' AS source_system,
    customer_unique_id AS member_no,
    customer_zip_code_prefix || ' ' || customer_city || ' ' || customer_state AS address,
    customer_city AS city,
    customer_state AS segment
FROM source;

-- The product of an order is its dearest item.
CREATE PIPE olist_orders FROM 'landing/olist/orders/' INTO o.orders
FORMAT csv OPTIONS (header 'true', delimiter ',') ON CALL AS
SELECT
    s.order_id,
    'olist' AS source_system,
    'record_id' AS key_type,
    s.customer_id AS key_value,
    s.order_purchase_timestamp AS ordered_at,
    s.order_delivered_customer_date AS delivered_at,
    s.order_estimated_delivery_date AS promised_at,
    CASE s.order_status WHEN 'canceled' THEN 'cancelled' ELSE s.order_status END AS status,
    'BRL' AS currency,
    p.amount,
    'marketplace' AS channel,
    i.product_id AS product,
    i.category
FROM source s
LEFT JOIN (
    SELECT order_id, sum(payment_value) AS amount
    FROM olist.payments
    GROUP BY order_id
) p ON p.order_id = s.order_id
LEFT JOIN (
    SELECT
        i.order_id,
        first_value(i.product_id ORDER BY i.price DESC, i.order_item_id) AS product_id,
        first_value(d.category ORDER BY i.price DESC, i.order_item_id) AS category
    FROM olist.items i
    LEFT JOIN olist.products d ON d.product_id = i.product_id
    GROUP BY i.order_id
) i ON i.order_id = s.order_id;

-- review_id is not unique, with its order it is. The verbatim is the title, if any, above the message.
CREATE PIPE olist_reviews FROM 'landing/olist/reviews/' INTO x.feedback
FORMAT csv OPTIONS (header 'true', delimiter ',') ON CALL AS
SELECT
    review_id || ':' || order_id AS feedback_id,
    'olist' AS source_system,
    'review' AS kind,
    'email' AS channel,
    'delivery' AS touchpoint,
    order_id,
    'rating' AS metric,
    review_score AS score,
    1 AS scale_min,
    5 AS scale_max,
    nullif(concat_ws(chr(10), review_comment_title, review_comment_message), '') AS comment,
    'pt' AS language,
    review_answer_timestamp AS occurred_at,
    '{"asked_at":"' || review_creation_date || '"}' AS attributes
FROM source;
