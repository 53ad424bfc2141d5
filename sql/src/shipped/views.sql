-- Customer 360, scores and journeys. id.identifiers and the id.*_customers relations say which person a row belongs
-- to: by the last refresh of identity resolution, and by exactly shared identifiers for what it has not seen.

CREATE OR REPLACE VIEW c360.identities AS
SELECT customer_id, key_type, source_system, key_value
FROM id.identifiers
UNION ALL
SELECT customer_id, key_type, source_system, key_value
FROM id.shared_identifiers;

COMMENT ON VIEW c360.identities IS 'Every identifier a customer is known by; one that several customers share has a row for each';
COMMENT ON COLUMN c360.identities.customer_id IS 'The person';
COMMENT ON COLUMN c360.identities.key_type IS 'Which identifier key_value is';
COMMENT ON COLUMN c360.identities.source_system IS 'The system in which key_value is unique (record_id, order_id). NULL when the identifier means the same everywhere';
COMMENT ON COLUMN c360.identities.key_value IS 'The identifier as id_key() normalises it';

CREATE OR REPLACE VIEW c360.customers AS
WITH people AS (
    SELECT DISTINCT customer_id FROM id.identifiers
),
records AS (
    SELECT
        m.customer_id,
        r.record_id,
        r.source_system,
        r.name,
        r.gender,
        r.birth_date,
        r.city,
        r.segment,
        r.phone,
        r.email,
        r.member_no,
        r.created_at,
        coalesce(r.updated_at, r.created_at) AS changed_at
    FROM o.customers r
    JOIN id.records m ON m.source_system = r.source_system AND m.record_id = r.record_id
),
golden AS (
    SELECT
        customer_id,
        count(*) AS records,
        count(DISTINCT source_system) AS source_systems,
        min(created_at) AS created_at,
        first_value(name ORDER BY changed_at DESC NULLS LAST, source_system, record_id)
            FILTER (WHERE name IS NOT NULL) AS name,
        first_value(gender ORDER BY changed_at DESC NULLS LAST, source_system, record_id)
            FILTER (WHERE gender IS NOT NULL) AS gender,
        first_value(birth_date ORDER BY changed_at DESC NULLS LAST, source_system, record_id)
            FILTER (WHERE birth_date IS NOT NULL) AS birth_date,
        first_value(city ORDER BY changed_at DESC NULLS LAST, source_system, record_id)
            FILTER (WHERE city IS NOT NULL) AS city,
        first_value(segment ORDER BY changed_at DESC NULLS LAST, source_system, record_id)
            FILTER (WHERE segment IS NOT NULL) AS segment,
        first_value(phone ORDER BY changed_at DESC NULLS LAST, source_system, record_id)
            FILTER (WHERE phone IS NOT NULL) AS phone,
        first_value(email ORDER BY changed_at DESC NULLS LAST, source_system, record_id)
            FILTER (WHERE email IS NOT NULL) AS email,
        first_value(member_no ORDER BY changed_at DESC NULLS LAST, source_system, record_id)
            FILTER (WHERE member_no IS NOT NULL) AS member_no
    FROM records
    GROUP BY customer_id
),
bought AS (
    SELECT
        m.customer_id,
        count(*) AS orders,
        count(*) FILTER (WHERE o.status = 'cancelled') AS cancelled_orders,
        count(o.delivered_at) AS deliveries,
        count(*) FILTER (WHERE o.delivered_at > o.promised_at) AS late_deliveries,
        min(o.ordered_at) AS first_ordered_at,
        max(o.ordered_at) AS last_ordered_at,
        CASE WHEN count(DISTINCT o.currency) = 1 THEN max(o.currency) END AS currency,
        CASE
            WHEN count(DISTINCT o.currency) = 1
            THEN coalesce(sum(o.amount) FILTER (WHERE o.status IS DISTINCT FROM 'cancelled'), 0)
        END AS revenue
    FROM o.orders o
    JOIN id.order_customers m ON m.source_system = o.source_system AND m.order_id = o.order_id
    GROUP BY m.customer_id
),
said AS (
    SELECT
        m.customer_id,
        count(*) AS feedback,
        count(*) FILTER (WHERE f.kind = 'complaint') AS complaints,
        max(f.occurred_at) AS last_feedback_at,
        last_value(f.score ORDER BY f.occurred_at, f.feedback_id)
            FILTER (WHERE f.metric = 'nps' AND f.score IS NOT NULL AND f.occurred_at IS NOT NULL) AS last_nps_score,
        max(f.occurred_at) FILTER (WHERE f.metric = 'nps' AND f.score IS NOT NULL) AS last_nps_at
    FROM x.feedback f
    JOIN id.feedback_customers m ON m.source_system = f.source_system AND m.feedback_id = f.feedback_id
    GROUP BY m.customer_id
),
asked AS (
    SELECT
        m.customer_id,
        count(*) AS cases,
        count(*) FILTER (WHERE k.closed_at IS NULL OR k.reopened_at > k.closed_at) AS open_cases
    FROM o.cases k
    JOIN id.case_customers m ON m.source_system = k.source_system AND m.case_id = k.case_id
    GROUP BY m.customer_id
),
subscribed AS (
    SELECT
        m.customer_id,
        count(*) AS subscriptions,
        count(*) FILTER (WHERE s.ended_at IS NULL) AS active_subscriptions
    FROM o.subscriptions s
    JOIN id.subscription_customers m
        ON m.source_system = s.source_system AND m.subscription_id = s.subscription_id
    GROUP BY m.customer_id
)
SELECT
    p.customer_id,
    g.name,
    g.gender,
    g.birth_date,
    g.city,
    g.segment,
    g.phone,
    g.email,
    g.member_no,
    g.created_at,
    coalesce(g.records, 0) AS records,
    coalesce(g.source_systems, 0) AS source_systems,
    coalesce(b.orders, 0) AS orders,
    coalesce(b.cancelled_orders, 0) AS cancelled_orders,
    coalesce(b.deliveries, 0) AS deliveries,
    coalesce(b.late_deliveries, 0) AS late_deliveries,
    b.first_ordered_at,
    b.last_ordered_at,
    b.currency,
    b.revenue,
    coalesce(s.feedback, 0) AS feedback,
    coalesce(s.complaints, 0) AS complaints,
    s.last_feedback_at,
    s.last_nps_score,
    s.last_nps_at,
    coalesce(a.cases, 0) AS cases,
    coalesce(a.open_cases, 0) AS open_cases,
    coalesce(u.subscriptions, 0) AS subscriptions,
    coalesce(u.active_subscriptions, 0) AS active_subscriptions
FROM people p
LEFT JOIN golden g ON g.customer_id = p.customer_id
LEFT JOIN bought b ON b.customer_id = p.customer_id
LEFT JOIN said s ON s.customer_id = p.customer_id
LEFT JOIN asked a ON a.customer_id = p.customer_id
LEFT JOIN subscribed u ON u.customer_id = p.customer_id;

COMMENT ON VIEW c360.customers IS 'One row a person. A descriptive value is the latest one that any of the person''s records holds; counts are 0 when there is nothing to count, everything else is NULL';
COMMENT ON COLUMN c360.customers.customer_id IS 'The person';
COMMENT ON COLUMN c360.customers.name IS 'Name on the record changed last that has one';
COMMENT ON COLUMN c360.customers.gender IS 'Gender on the record changed last that has one';
COMMENT ON COLUMN c360.customers.birth_date IS 'Date of birth on the record changed last that has one';
COMMENT ON COLUMN c360.customers.city IS 'City on the record changed last that has one';
COMMENT ON COLUMN c360.customers.segment IS 'Segment on the record changed last that has one';
COMMENT ON COLUMN c360.customers.phone IS 'Telephone number on the record changed last that has one, as written there';
COMMENT ON COLUMN c360.customers.email IS 'E-mail address on the record changed last that has one, as written there';
COMMENT ON COLUMN c360.customers.member_no IS 'Membership number on the record changed last that has one';
COMMENT ON COLUMN c360.customers.created_at IS 'When the earliest record was made';
COMMENT ON COLUMN c360.customers.records IS 'Number of source records';
COMMENT ON COLUMN c360.customers.source_systems IS 'Number of source systems that hold a record';
COMMENT ON COLUMN c360.customers.orders IS 'Number of orders, cancelled ones included';
COMMENT ON COLUMN c360.customers.cancelled_orders IS 'Number of orders with status cancelled';
COMMENT ON COLUMN c360.customers.deliveries IS 'Number of orders that have arrived';
COMMENT ON COLUMN c360.customers.late_deliveries IS 'Number of orders that arrived after the promised time';
COMMENT ON COLUMN c360.customers.first_ordered_at IS 'When the first order was placed';
COMMENT ON COLUMN c360.customers.last_ordered_at IS 'When the latest order was placed';
COMMENT ON COLUMN c360.customers.currency IS 'Currency of the orders. NULL without orders or when they are in more than one';
COMMENT ON COLUMN c360.customers.revenue IS 'Sum of the amounts of orders not cancelled, in currency. NULL when currency is NULL: amounts of different currencies are never added';
COMMENT ON COLUMN c360.customers.feedback IS 'Number of feedback rows of any kind';
COMMENT ON COLUMN c360.customers.complaints IS 'Number of feedback rows of kind complaint';
COMMENT ON COLUMN c360.customers.last_feedback_at IS 'When the person was last heard';
COMMENT ON COLUMN c360.customers.last_nps_score IS 'Latest answer to the recommendation question, 0 to 10';
COMMENT ON COLUMN c360.customers.last_nps_at IS 'When the latest answer to the recommendation question was given';
COMMENT ON COLUMN c360.customers.cases IS 'Number of service cases';
COMMENT ON COLUMN c360.customers.open_cases IS 'Number of service cases not closed, or opened again since';
COMMENT ON COLUMN c360.customers.subscriptions IS 'Number of subscriptions, ended ones included';
COMMENT ON COLUMN c360.customers.active_subscriptions IS 'Number of subscriptions without an end';

CREATE OR REPLACE VIEW c360.golden_lineage AS
WITH held AS (
    SELECT
        m.customer_id,
        r.source_system,
        r.record_id,
        coalesce(r.updated_at, r.created_at) AS changed_at,
        r.created_at,
        unnest(ARRAY['name', 'gender', 'birth_date', 'city', 'segment', 'phone', 'email', 'member_no', 'created_at'])
            AS attribute,
        unnest(ARRAY[
            r.name, r.gender, CAST(r.birth_date AS text), r.city, r.segment, r.phone, r.email, r.member_no,
            CAST(r.created_at AS text)
        ]) AS value
    FROM o.customers r
    JOIN id.records m ON m.source_system = r.source_system AND m.record_id = r.record_id
),
ranked AS (
    SELECT
        customer_id,
        attribute,
        value,
        source_system,
        record_id,
        changed_at,
        row_number() OVER (
            PARTITION BY customer_id, attribute
            ORDER BY
                CASE WHEN attribute = 'created_at' THEN created_at END NULLS LAST,
                changed_at DESC NULLS LAST,
                source_system,
                record_id
        ) AS place
    FROM held
    WHERE value IS NOT NULL
)
SELECT
    customer_id,
    attribute,
    value,
    source_system,
    record_id,
    changed_at,
    place,
    place = 1 AS survives,
    CASE WHEN attribute = 'created_at' THEN 'earliest' ELSE 'latest' END AS rule
FROM ranked;

COMMENT ON VIEW c360.golden_lineage IS 'Where each attribute of c360.customers comes from: every value that a record of the person holds, the one that survives first';
COMMENT ON COLUMN c360.golden_lineage.customer_id IS 'The person';
COMMENT ON COLUMN c360.golden_lineage.attribute IS 'A column of c360.customers';
COMMENT ON COLUMN c360.golden_lineage.value IS 'What the record holds, as text';
COMMENT ON COLUMN c360.golden_lineage.source_system IS 'The system of the record';
COMMENT ON COLUMN c360.golden_lineage.record_id IS 'Identifier of the record in its system';
COMMENT ON COLUMN c360.golden_lineage.changed_at IS 'When the record last changed, or was made';
COMMENT ON COLUMN c360.golden_lineage.place IS 'Its place among the values of the attribute: 1 survives';
COMMENT ON COLUMN c360.golden_lineage.survives IS 'Whether c360.customers shows it';
COMMENT ON COLUMN c360.golden_lineage.rule IS 'latest: the record changed last survives; earliest: the least time does. Among equals the first by source_system and record_id';

CREATE OR REPLACE VIEW c360.timeline AS
SELECT
    m.customer_id,
    o.ordered_at AS occurred_at,
    'order' AS kind,
    o.channel,
    o.source_system,
    o.order_id AS reference,
    coalesce(o.product, o.category, o.status) AS summary,
    CAST(NULL AS double precision) AS score,
    CAST(NULL AS text) AS metric,
    o.amount,
    o.currency,
    CAST(NULL AS double precision) AS sentiment
FROM o.orders o
JOIN id.order_customers m ON m.source_system = o.source_system AND m.order_id = o.order_id
UNION ALL
SELECT
    m.customer_id,
    o.delivered_at,
    'delivery',
    o.channel,
    o.source_system,
    o.order_id,
    CASE
        WHEN o.promised_at IS NULL THEN 'delivered'
        WHEN o.delivered_at <= o.promised_at THEN 'delivered on time'
        ELSE 'delivered '
            || CAST(round((date_part('epoch', o.delivered_at) - date_part('epoch', o.promised_at)) / 86400.0, 1) AS text)
            || ' days late'
    END,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL
FROM o.orders o
JOIN id.order_customers m ON m.source_system = o.source_system AND m.order_id = o.order_id
WHERE o.delivered_at IS NOT NULL
UNION ALL
SELECT
    m.customer_id,
    f.occurred_at,
    f.kind,
    f.channel,
    f.source_system,
    f.feedback_id,
    coalesce(f.comment, f.touchpoint),
    f.score,
    f.metric,
    NULL,
    NULL,
    CASE WHEN f.comment IS NOT NULL THEN sentiment(f.comment) END
FROM x.feedback f
JOIN id.feedback_customers m ON m.source_system = f.source_system AND m.feedback_id = f.feedback_id
UNION ALL
SELECT m.customer_id, k.opened_at, 'case_opened', NULL, k.source_system, k.case_id, k.topic, NULL, NULL, NULL, NULL, NULL
FROM o.cases k
JOIN id.case_customers m ON m.source_system = k.source_system AND m.case_id = k.case_id
UNION ALL
SELECT m.customer_id, k.closed_at, 'case_closed', NULL, k.source_system, k.case_id, k.topic, NULL, NULL, NULL, NULL, NULL
FROM o.cases k
JOIN id.case_customers m ON m.source_system = k.source_system AND m.case_id = k.case_id
WHERE k.closed_at IS NOT NULL
UNION ALL
SELECT
    m.customer_id,
    s.started_at,
    'subscription_started',
    NULL,
    s.source_system,
    s.subscription_id,
    s.plan,
    NULL,
    NULL,
    s.monthly_amount,
    s.currency,
    NULL
FROM o.subscriptions s
JOIN id.subscription_customers m ON m.source_system = s.source_system AND m.subscription_id = s.subscription_id
UNION ALL
SELECT
    m.customer_id, s.ended_at, 'subscription_ended', NULL, s.source_system, s.subscription_id, s.plan, NULL, NULL, NULL, NULL, NULL
FROM o.subscriptions s
JOIN id.subscription_customers m ON m.source_system = s.source_system AND m.subscription_id = s.subscription_id
WHERE s.ended_at IS NOT NULL
UNION ALL
SELECT i.customer_id, e.occurred_at, 'event', NULL, e.source_system, e.event_id, e.event_name, NULL, NULL, NULL, NULL, NULL
FROM x.events e
JOIN id.identifiers i
    ON i.key_type = e.key_type
    AND i.key_value = id_key(e.key_type, e.key_value)
    AND coalesce(i.source_system, e.source_system) = e.source_system;

COMMENT ON VIEW c360.timeline IS 'Everything that happened to each customer: order by occurred_at within a customer_id';
COMMENT ON COLUMN c360.timeline.customer_id IS 'The person';
COMMENT ON COLUMN c360.timeline.occurred_at IS 'When it happened. NULL when the source does not say';
COMMENT ON COLUMN c360.timeline.kind IS 'order, delivery, case_opened, case_closed, subscription_started, subscription_ended, event, or the kind of feedback: survey, review, complaint, chat, social, call';
COMMENT ON COLUMN c360.timeline.channel IS 'Where it happened';
COMMENT ON COLUMN c360.timeline.source_system IS 'The system it comes from';
COMMENT ON COLUMN c360.timeline.reference IS 'Identifier of the order, case, subscription, feedback or event, unique within source_system';
COMMENT ON COLUMN c360.timeline.summary IS 'One line to read: the product, the delay in days, the verbatim, the topic, the plan or the event name';
COMMENT ON COLUMN c360.timeline.score IS 'Answer of a survey or review in units of its own scale. NULL elsewhere';
COMMENT ON COLUMN c360.timeline.metric IS 'nps, csat, ces or rating. NULL elsewhere';
COMMENT ON COLUMN c360.timeline.amount IS 'Amount of an order, or price a month of a subscription begun, in currency';
COMMENT ON COLUMN c360.timeline.currency IS 'Currency of amount';
COMMENT ON COLUMN c360.timeline.sentiment IS 'Sentiment of the verbatim, -1 to 1. NULL without a verbatim';

CREATE OR REPLACE VIEW x.nps AS
SELECT
    date_trunc('month', occurred_at) AS month,
    source_system,
    channel,
    nps(score) AS nps,
    nps_low(score) AS nps_low,
    nps_high(score) AS nps_high,
    nps_n(score) AS n
FROM x.feedback
WHERE metric = 'nps' AND score IS NOT NULL
GROUP BY date_trunc('month', occurred_at), source_system, channel;

COMMENT ON VIEW x.nps IS 'Net Promoter Score a month, source system and channel, unweighted';
COMMENT ON COLUMN x.nps.month IS 'First instant of the month in which the answers were given, in the time zone of the session';
COMMENT ON COLUMN x.nps.source_system IS 'The system the answers come from';
COMMENT ON COLUMN x.nps.channel IS 'Where the answers were given';
COMMENT ON COLUMN x.nps.nps IS 'Percentage of promoters (9 and 10) minus percentage of detractors (0 to 6), -100 to 100';
COMMENT ON COLUMN x.nps.nps_low IS 'Lower end of the 95 percent interval (adjusted Wald)';
COMMENT ON COLUMN x.nps.nps_high IS 'Upper end of the 95 percent interval (adjusted Wald)';
COMMENT ON COLUMN x.nps.n IS 'Number of answers';

CREATE OR REPLACE VIEW x.scores AS
SELECT
    date_trunc('month', occurred_at) AS month,
    metric,
    scale_min,
    scale_max,
    source_system,
    channel,
    avg(score) AS mean_score,
    mean_low(score) AS mean_score_low,
    mean_high(score) AS mean_score_high,
    count(score) AS n
FROM x.feedback
WHERE metric IS NOT NULL AND score IS NOT NULL
GROUP BY date_trunc('month', occurred_at), metric, scale_min, scale_max, source_system, channel;

COMMENT ON VIEW x.scores IS 'Mean score a month, metric, scale, source system and channel, unweighted. Answers on different scales are never averaged together';
COMMENT ON COLUMN x.scores.month IS 'First instant of the month in which the answers were given, in the time zone of the session';
COMMENT ON COLUMN x.scores.metric IS 'nps, csat, ces or rating';
COMMENT ON COLUMN x.scores.scale_min IS 'Lowest answer the scale allows';
COMMENT ON COLUMN x.scores.scale_max IS 'Highest answer the scale allows';
COMMENT ON COLUMN x.scores.source_system IS 'The system the answers come from';
COMMENT ON COLUMN x.scores.channel IS 'Where the answers were given';
COMMENT ON COLUMN x.scores.mean_score IS 'Mean of the answers, in units of the scale';
COMMENT ON COLUMN x.scores.mean_score_low IS 'Lower end of the 95 percent interval of the mean. NULL for a single answer';
COMMENT ON COLUMN x.scores.mean_score_high IS 'Upper end of the 95 percent interval of the mean. NULL for a single answer';
COMMENT ON COLUMN x.scores.n IS 'Number of answers';


CREATE OR REPLACE VIEW journey.steps AS
SELECT * FROM journey_steps(
    'SELECT key_type || '':'' || id_key(key_type, key_value) AS customer, occurred_at, event_name FROM x.events',
    'customer', 'occurred_at', 'event_name');

COMMENT ON VIEW journey.steps IS 'How many customers reach each event of x.events, and stop there. A customer is an identifier here';
COMMENT ON COLUMN journey.steps.step IS 'The event';
COMMENT ON COLUMN journey.steps.visits IS 'How often it happened';
COMMENT ON COLUMN journey.steps.customers IS 'How many customers it happened to';
COMMENT ON COLUMN journey.steps.dropped IS 'How many of them did nothing after it';
COMMENT ON COLUMN journey.steps.finished IS 'How many of them it was a goal for; no event is one here';
COMMENT ON COLUMN journey.steps.drop_rate IS 'dropped over customers';
COMMENT ON COLUMN journey.steps.conf_low IS 'Lower end of the 95 percent Wilson interval of the rate';
COMMENT ON COLUMN journey.steps.conf_high IS 'Upper end of the 95 percent Wilson interval of the rate';

CREATE OR REPLACE VIEW journey.transitions AS
SELECT * FROM journey_transitions(
    'SELECT key_type || '':'' || id_key(key_type, key_value) AS customer, occurred_at, event_name FROM x.events',
    'customer', 'occurred_at', 'event_name');

COMMENT ON VIEW journey.transitions IS 'Where customers go from each event of x.events';
COMMENT ON COLUMN journey.transitions.from_step IS 'The event they come from';
COMMENT ON COLUMN journey.transitions.to_step IS 'The event that follows';
COMMENT ON COLUMN journey.transitions.n IS 'How often';
COMMENT ON COLUMN journey.transitions.share IS 'n over the visits of from_step';
COMMENT ON COLUMN journey.transitions.median_seconds IS 'Median time between the two';
COMMENT ON COLUMN journey.transitions.mean_seconds IS 'Mean time between the two';

CREATE OR REPLACE VIEW journey.paths AS
SELECT * FROM journey_paths(
    'SELECT key_type || '':'' || id_key(key_type, key_value) AS customer, occurred_at, event_name FROM x.events',
    'customer', 'occurred_at', 'event_name');

COMMENT ON VIEW journey.paths IS 'The hundred most frequent paths through x.events, of up to ten events';
COMMENT ON COLUMN journey.paths.path IS 'The events in order';
COMMENT ON COLUMN journey.paths.customers IS 'How many customers take it';
COMMENT ON COLUMN journey.paths.share IS 'customers over all customers with an event';
