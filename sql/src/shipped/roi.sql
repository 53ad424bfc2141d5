-- The return of experience: who was heard, which order an answer is about, what customers of each score did later, what
-- programmes cost and returned. The relations of id have a row for each row of a table: they are made distinct, so that a row
-- that was loaded twice counts twice and not four times. A view is worked out when it is read. One that has no answer, for want of rows or because a
-- column does not vary, has no rows.

CREATE TABLE IF NOT EXISTS roi.models (
    name              text NOT NULL,
    version           bigint NOT NULL,
    kind              text NOT NULL,
    relation          text,
    data_version      bigint,
    outcome           text NOT NULL,
    predictors        text NOT NULL,
    model             text NOT NULL,
    n_obs             bigint,
    events            bigint,
    r_squared         double precision,
    auc               double precision,
    auc_low           double precision,
    auc_high          double precision,
    brier             double precision,
    calibration_error double precision,
    rmse              double precision,
    trained_at        timestamptz NOT NULL,
    trained_by        text,
    PRIMARY KEY (name, version)
);
COMMENT ON TABLE roi.models IS 'Trained models, one row a version. CALL roi.train makes one, predict uses the newest of a name';
COMMENT ON COLUMN roi.models.name IS 'The model, as predict(''name'', …) calls it';
COMMENT ON COLUMN roi.models.version IS '1 for the first training of the name, and one more each time';
COMMENT ON COLUMN roi.models.kind IS 'linear or logistic';
COMMENT ON COLUMN roi.models.relation IS 'What it was trained on';
COMMENT ON COLUMN roi.models.data_version IS 'Version of the table it was trained on. NULL for a view or a query: trained_at says the moment';
COMMENT ON COLUMN roi.models.outcome IS 'What is predicted';
COMMENT ON COLUMN roi.models.predictors IS 'From what, in the order in which predict takes the values';
COMMENT ON COLUMN roi.models.model IS 'Kind, intercept and coefficients as JSON: what predict reads';
COMMENT ON COLUMN roi.models.n_obs IS 'Number of rows that counted';
COMMENT ON COLUMN roi.models.events IS 'Number of them with outcome 1. NULL for a linear model';
COMMENT ON COLUMN roi.models.r_squared IS 'Share of the variance explained; McFadden''s of a logistic model';
COMMENT ON COLUMN roi.models.auc IS 'Area under the ROC curve over the same rows. NULL for a linear model';
COMMENT ON COLUMN roi.models.auc_low IS 'Lower end of its 95 percent interval (DeLong)';
COMMENT ON COLUMN roi.models.auc_high IS 'Upper end of its 95 percent interval (DeLong)';
COMMENT ON COLUMN roi.models.brier IS 'Mean squared difference of probability and outcome. NULL for a linear model';
COMMENT ON COLUMN roi.models.calibration_error IS 'Expected calibration error over ten bins. NULL for a linear model';
COMMENT ON COLUMN roi.models.rmse IS 'Residual standard deviation. NULL for a logistic model';
COMMENT ON COLUMN roi.models.trained_at IS 'When it was trained';
COMMENT ON COLUMN roi.models.trained_by IS 'The role that trained it';

CREATE OR REPLACE VIEW roi.current_models AS
SELECT
    m.name, m.version, m.kind, m.relation, m.data_version, m.outcome, m.predictors, m.model, m.n_obs, m.events, m.r_squared,
    m.auc, m.auc_low, m.auc_high, m.brier, m.calibration_error, m.rmse, m.trained_at, m.trained_by
FROM roi.models m
JOIN (SELECT name, max(version) AS version FROM roi.models GROUP BY name) newest
    ON newest.name = m.name AND newest.version = m.version;
COMMENT ON VIEW roi.current_models IS 'The newest version of each model of roi.models, with the same columns';
COMMENT ON COLUMN roi.current_models.name IS 'The model, as predict(''name'', …) calls it';
COMMENT ON COLUMN roi.current_models.version IS '1 for the first training of the name, and one more each time';
COMMENT ON COLUMN roi.current_models.kind IS 'linear or logistic';
COMMENT ON COLUMN roi.current_models.relation IS 'What it was trained on';
COMMENT ON COLUMN roi.current_models.data_version IS 'Version of the table it was trained on. NULL for a view or a query: trained_at says the moment';
COMMENT ON COLUMN roi.current_models.outcome IS 'What is predicted';
COMMENT ON COLUMN roi.current_models.predictors IS 'From what, in the order in which predict takes the values';
COMMENT ON COLUMN roi.current_models.model IS 'Kind, intercept and coefficients as JSON: what predict reads';
COMMENT ON COLUMN roi.current_models.n_obs IS 'Number of rows that counted';
COMMENT ON COLUMN roi.current_models.events IS 'Number of them with outcome 1. NULL for a linear model';
COMMENT ON COLUMN roi.current_models.r_squared IS 'Share of the variance explained; McFadden''s of a logistic model';
COMMENT ON COLUMN roi.current_models.auc IS 'Area under the ROC curve over the same rows. NULL for a linear model';
COMMENT ON COLUMN roi.current_models.auc_low IS 'Lower end of its 95 percent interval (DeLong)';
COMMENT ON COLUMN roi.current_models.auc_high IS 'Upper end of its 95 percent interval (DeLong)';
COMMENT ON COLUMN roi.current_models.brier IS 'Mean squared difference of probability and outcome. NULL for a linear model';
COMMENT ON COLUMN roi.current_models.calibration_error IS 'Expected calibration error over ten bins. NULL for a linear model';
COMMENT ON COLUMN roi.current_models.rmse IS 'Residual standard deviation. NULL for a logistic model';
COMMENT ON COLUMN roi.current_models.trained_at IS 'When it was trained';
COMMENT ON COLUMN roi.current_models.trained_by IS 'The role that trained it';

CREATE TABLE IF NOT EXISTS o.participants (
    programme     text NOT NULL,
    source_system text NOT NULL,
    key_type      text NOT NULL,
    key_value     text NOT NULL,
    joined_at     timestamptz NOT NULL
);
COMMENT ON TABLE o.participants IS 'Who takes part in an improvement programme: one row a participant';
COMMENT ON COLUMN o.participants.programme IS 'The programme, as in o.costs';
COMMENT ON COLUMN o.participants.source_system IS 'The system the row comes from, its ids are unique within it';
COMMENT ON COLUMN o.participants.key_type IS 'Which identifier key_value is: record_id, phone, email, wechat_openid, wechat_unionid, member_no, id_card, order_id, device_id';
COMMENT ON COLUMN o.participants.key_value IS 'The identifier as the source wrote it, id_key() normalises it';
COMMENT ON COLUMN o.participants.joined_at IS 'When the programme reached the participant';

CREATE OR REPLACE VIEW x.coverage AS
WITH segments AS (
    SELECT
        m.customer_id,
        first_value(r.segment ORDER BY coalesce(r.updated_at, r.created_at) DESC NULLS LAST, r.source_system, r.record_id)
            FILTER (WHERE r.segment IS NOT NULL) AS segment
    FROM o.customers r
    JOIN id.records m ON m.source_system = r.source_system AND m.record_id = r.record_id
    GROUP BY m.customer_id
),
people AS (
    SELECT DISTINCT customer_id FROM id.identifiers
),
said AS (
    SELECT
        m.customer_id,
        count(*) FILTER (WHERE f.kind = 'survey' AND f.metric IS NOT NULL) AS asked,
        count(f.score) FILTER (WHERE f.kind = 'survey' AND f.metric IS NOT NULL) AS answered,
        coalesce(sum(coalesce(f.weight, 1)) FILTER (WHERE f.score IS NOT NULL), 0) AS weight,
        coalesce(sum(coalesce(f.weight, 1) * coalesce(f.weight, 1)) FILTER (WHERE f.score IS NOT NULL), 0) AS squares,
        count(f.score) AS scored
    FROM x.feedback f
    JOIN (SELECT DISTINCT source_system, feedback_id, customer_id FROM id.feedback_customers) m ON m.source_system = f.source_system AND m.feedback_id = f.feedback_id
    GROUP BY m.customer_id
)
SELECT
    g.segment,
    count(*) AS customers,
    CAST(coalesce(sum(s.asked), 0) AS bigint) AS asked,
    CAST(coalesce(sum(s.answered), 0) AS bigint) AS answered,
    CAST(sum(s.answered) AS double precision) / nullif(CAST(sum(s.asked) AS double precision), 0) AS answer_rate,
    count(s.customer_id) AS customers_heard,
    top_box(CASE WHEN s.customer_id IS NULL THEN 1 ELSE 3 END, 1, 3) / 100 AS share_heard,
    top_box_low(CASE WHEN s.customer_id IS NULL THEN 1 ELSE 3 END, 1, 3) / 100 AS share_heard_low,
    top_box_high(CASE WHEN s.customer_id IS NULL THEN 1 ELSE 3 END, 1, 3) / 100 AS share_heard_high,
    CAST(coalesce(sum(s.scored), 0) AS bigint) AS scores,
    sum(s.weight) * sum(s.weight) / nullif(sum(s.squares), 0) AS n_eff,
    CAST(sum(s.scored) AS double precision) * sum(s.squares) / nullif(sum(s.weight) * sum(s.weight), 0) AS design_effect
FROM people p
LEFT JOIN segments g ON g.customer_id = p.customer_id
LEFT JOIN said s ON s.customer_id = p.customer_id
GROUP BY g.segment;
COMMENT ON VIEW x.coverage IS 'How much of the customers is heard, a segment: who was asked, who answered, who said anything at all. Feedback that names nobody is not in it';
COMMENT ON COLUMN x.coverage.segment IS 'Segment on the record changed last that has one. NULL when none has';
COMMENT ON COLUMN x.coverage.customers IS 'Number of persons';
COMMENT ON COLUMN x.coverage.asked IS 'Number of survey questions put to them: survey rows with a metric';
COMMENT ON COLUMN x.coverage.answered IS 'Number of these with a score';
COMMENT ON COLUMN x.coverage.answer_rate IS 'answered over asked, 0 to 1. NULL when nobody was asked';
COMMENT ON COLUMN x.coverage.customers_heard IS 'Number of persons with feedback of any kind';
COMMENT ON COLUMN x.coverage.share_heard IS 'customers_heard over customers, 0 to 1';
COMMENT ON COLUMN x.coverage.share_heard_low IS 'Lower end of the 95 percent Wilson interval, as if those heard were drawn by chance';
COMMENT ON COLUMN x.coverage.share_heard_high IS 'Upper end of the 95 percent Wilson interval';
COMMENT ON COLUMN x.coverage.scores IS 'Number of scores of any kind of feedback';
COMMENT ON COLUMN x.coverage.n_eff IS 'Effective number of scores (Kish): what their weights leave. NULL without scores';
COMMENT ON COLUMN x.coverage.design_effect IS 'scores over n_eff, 1 with equal weights';

CREATE OR REPLACE VIEW roi.answers_to_orders AS
WITH answers AS (
    SELECT
        f.source_system, f.feedback_id, f.metric, f.score, f.scale_min, f.scale_max, f.occurred_at, f.order_id,
        m.customer_id,
        row_number() OVER (PARTITION BY f.source_system, f.feedback_id ORDER BY f.occurred_at, f.metric, f.score) AS twin
    FROM x.feedback f
    LEFT JOIN (SELECT DISTINCT source_system, feedback_id, customer_id FROM id.feedback_customers) m ON m.source_system = f.source_system AND m.feedback_id = f.feedback_id
    WHERE f.metric IS NOT NULL AND f.score IS NOT NULL
),
known AS (
    SELECT source_system, order_id, min(ordered_at) AS ordered_at
    FROM o.orders
    GROUP BY source_system, order_id
),
purchases AS (
    SELECT m.customer_id, o.source_system, o.order_id, min(o.ordered_at) AS ordered_at
    FROM o.orders o
    JOIN (SELECT DISTINCT source_system, order_id, customer_id FROM id.order_customers) m ON m.source_system = o.source_system AND m.order_id = o.order_id
    WHERE (o.status IS DISTINCT FROM 'cancelled') AND o.ordered_at IS NOT NULL
    GROUP BY m.customer_id, o.source_system, o.order_id
),
earlier_orders AS (
    SELECT
        a.source_system AS answer_system, a.feedback_id, p.source_system, p.order_id, p.ordered_at,
        count(*) OVER (PARTITION BY a.source_system, a.feedback_id) AS candidates,
        count(*) OVER (PARTITION BY a.source_system, a.feedback_id, p.ordered_at) AS at_once,
        row_number() OVER (
            PARTITION BY a.source_system, a.feedback_id
            ORDER BY p.ordered_at DESC, p.source_system, p.order_id
        ) AS turn
    FROM answers a
    JOIN purchases p
        ON p.customer_id = a.customer_id
        AND p.ordered_at <= a.occurred_at
        AND p.ordered_at > a.occurred_at - interval '90 days'
    WHERE a.twin = 1 AND a.order_id IS NULL
)
SELECT
    a.source_system,
    a.feedback_id,
    a.customer_id,
    a.metric,
    a.score,
    a.scale_min,
    a.scale_max,
    a.occurred_at,
    CASE
        WHEN k.order_id IS NOT NULL THEN 'order_id'
        WHEN b.at_once = 1 THEN 'as_of'
    END AS rule,
    CASE WHEN k.order_id IS NOT NULL THEN k.source_system WHEN b.at_once = 1 THEN b.source_system END AS order_system,
    CASE WHEN k.order_id IS NOT NULL THEN k.order_id WHEN b.at_once = 1 THEN b.order_id END AS order_id,
    CASE
        WHEN k.order_id IS NOT NULL THEN (date_part('epoch', a.occurred_at) - date_part('epoch', k.ordered_at)) / 86400
        WHEN b.at_once = 1 THEN (date_part('epoch', a.occurred_at) - date_part('epoch', b.ordered_at)) / 86400
    END AS days_after_order,
    CASE WHEN k.order_id IS NOT NULL THEN 1 ELSE coalesce(b.candidates, 0) END AS candidates,
    k.order_id IS NULL AND coalesce(b.candidates, 0) > 1 AS ambiguous
FROM answers a
LEFT JOIN known k ON k.source_system = a.source_system AND k.order_id = a.order_id
LEFT JOIN earlier_orders b ON b.answer_system = a.source_system AND b.feedback_id = a.feedback_id AND b.turn = 1
WHERE a.twin = 1;
COMMENT ON VIEW roi.answers_to_orders IS 'Which order each answer with a score is about, one row an answer: the order it names, else the customer''s latest order in the 90 days before it. Two orders at that very moment are not told apart: no link';
COMMENT ON COLUMN roi.answers_to_orders.source_system IS 'The system of the answer';
COMMENT ON COLUMN roi.answers_to_orders.feedback_id IS 'The answer';
COMMENT ON COLUMN roi.answers_to_orders.customer_id IS 'Who gave it. NULL when nothing tells';
COMMENT ON COLUMN roi.answers_to_orders.metric IS 'nps, csat, ces or rating';
COMMENT ON COLUMN roi.answers_to_orders.score IS 'The answer in units of its scale';
COMMENT ON COLUMN roi.answers_to_orders.scale_min IS 'Lowest answer the scale allows';
COMMENT ON COLUMN roi.answers_to_orders.scale_max IS 'Highest answer the scale allows';
COMMENT ON COLUMN roi.answers_to_orders.occurred_at IS 'When it was given';
COMMENT ON COLUMN roi.answers_to_orders.rule IS 'order_id when the answer names its order, as_of when it is the latest one before. NULL without a link';
COMMENT ON COLUMN roi.answers_to_orders.order_system IS 'The system of the order';
COMMENT ON COLUMN roi.answers_to_orders.order_id IS 'The order. NULL without a link';
COMMENT ON COLUMN roi.answers_to_orders.days_after_order IS 'Days from the order to the answer';
COMMENT ON COLUMN roi.answers_to_orders.candidates IS 'How many orders it could be about: 1 when it names one, else those in the 90 days before';
COMMENT ON COLUMN roi.answers_to_orders.ambiguous IS 'Whether it names no order and could be about several';

CREATE OR REPLACE VIEW roi.x_o_link AS
WITH linked AS (
    SELECT
        order_system,
        order_id,
        count(*) AS answers,
        count(*) FILTER (WHERE ambiguous) AS ambiguous_answers,
        max(occurred_at) AS last_answered_at,
        last_value(score ORDER BY occurred_at, feedback_id) FILTER (WHERE metric = 'nps') AS nps_score,
        last_value(score ORDER BY occurred_at, feedback_id) FILTER (WHERE metric = 'csat') AS csat_score,
        last_value(score ORDER BY occurred_at, feedback_id) FILTER (WHERE metric = 'ces') AS ces_score,
        last_value(score ORDER BY occurred_at, feedback_id) FILTER (WHERE metric = 'rating') AS rating_score
    FROM roi.answers_to_orders
    WHERE order_id IS NOT NULL
    GROUP BY order_system, order_id
)
SELECT
    o.source_system,
    o.order_id,
    o.ordered_at,
    o.delivered_at,
    o.promised_at,
    o.status,
    o.channel,
    o.product,
    o.category,
    o.currency,
    o.amount,
    o.margin,
    coalesce(l.answers, 0) AS answers,
    coalesce(l.ambiguous_answers, 0) AS ambiguous_answers,
    l.last_answered_at,
    l.nps_score,
    l.csat_score,
    l.ces_score,
    l.rating_score
FROM o.orders o
LEFT JOIN linked l ON l.order_system = o.source_system AND l.order_id = o.order_id;
COMMENT ON VIEW roi.x_o_link IS 'Orders with what was answered about them, one row an order however many answers: sums over this view are sums over o.orders. The latest score of each metric counts';
COMMENT ON COLUMN roi.x_o_link.source_system IS 'The system of the order';
COMMENT ON COLUMN roi.x_o_link.order_id IS 'The order';
COMMENT ON COLUMN roi.x_o_link.ordered_at IS 'When it was placed';
COMMENT ON COLUMN roi.x_o_link.delivered_at IS 'When it arrived';
COMMENT ON COLUMN roi.x_o_link.promised_at IS 'When it was promised to arrive';
COMMENT ON COLUMN roi.x_o_link.status IS 'State of the order';
COMMENT ON COLUMN roi.x_o_link.channel IS 'Where it was bought';
COMMENT ON COLUMN roi.x_o_link.product IS 'Product bought';
COMMENT ON COLUMN roi.x_o_link.category IS 'Category of the product';
COMMENT ON COLUMN roi.x_o_link.currency IS 'Currency of amount and margin';
COMMENT ON COLUMN roi.x_o_link.amount IS 'What the customer paid';
COMMENT ON COLUMN roi.x_o_link.margin IS 'Contribution margin';
COMMENT ON COLUMN roi.x_o_link.answers IS 'Number of answers about it';
COMMENT ON COLUMN roi.x_o_link.ambiguous_answers IS 'Number of them that could be about another order, too';
COMMENT ON COLUMN roi.x_o_link.last_answered_at IS 'When the latest of them was given';
COMMENT ON COLUMN roi.x_o_link.nps_score IS 'Latest answer to the recommendation question';
COMMENT ON COLUMN roi.x_o_link.csat_score IS 'Latest satisfaction score';
COMMENT ON COLUMN roi.x_o_link.ces_score IS 'Latest effort score';
COMMENT ON COLUMN roi.x_o_link.rating_score IS 'Latest rating';

CREATE OR REPLACE VIEW roi.outcomes AS
WITH purchases AS (
    SELECT m.customer_id, o.currency, o.ordered_at, o.amount, o.margin
    FROM o.orders o
    JOIN (SELECT DISTINCT source_system, order_id, customer_id FROM id.order_customers) m ON m.source_system = o.source_system AND m.order_id = o.order_id
    WHERE (o.status IS DISTINCT FROM 'cancelled') AND o.ordered_at IS NOT NULL
),
observed AS (
    SELECT currency, max(ordered_at) AS observed_until
    FROM purchases
    GROUP BY currency
),
answers AS (
    SELECT
        m.customer_id,
        f.metric,
        f.score,
        f.scale_min,
        f.scale_max,
        f.occurred_at AS responded_at,
        row_number() OVER (
            PARTITION BY m.customer_id, f.metric
            ORDER BY f.occurred_at, f.source_system, f.feedback_id
        ) AS turn
    FROM x.feedback f
    JOIN (SELECT DISTINCT source_system, feedback_id, customer_id FROM id.feedback_customers) m ON m.source_system = f.source_system AND m.feedback_id = f.feedback_id
    WHERE f.metric IS NOT NULL AND f.score IS NOT NULL AND f.occurred_at IS NOT NULL
),
first_answers AS (
    SELECT
        customer_id,
        metric,
        score,
        scale_min,
        scale_max,
        responded_at,
        CASE
            WHEN metric = 'nps' AND score >= 9 THEN 'promoter'
            WHEN metric = 'nps' AND score > 6 THEN 'passive'
            WHEN metric = 'nps' THEN 'detractor'
            WHEN (score - scale_min) / nullif(scale_max - scale_min, 0) > 0.6 THEN 'high'
            WHEN (score - scale_min) / nullif(scale_max - scale_min, 0) < 0.4 THEN 'low'
            WHEN (score - scale_min) / nullif(scale_max - scale_min, 0) IS NOT NULL THEN 'middle'
        END AS score_band
    FROM answers
    WHERE turn = 1
),
service AS (
    SELECT a.customer_id, a.metric, count(*) AS cases, sum(k.cost) AS cost
    FROM first_answers a
    JOIN (SELECT DISTINCT source_system, case_id, customer_id FROM id.case_customers) m ON m.customer_id = a.customer_id
    JOIN o.cases k
        ON k.source_system = m.source_system
        AND k.case_id = m.case_id
        AND k.opened_at > a.responded_at
        AND k.opened_at <= a.responded_at + interval '90 days'
    GROUP BY a.customer_id, a.metric
),
accounts AS (
    SELECT
        a.customer_id,
        a.metric,
        a.score,
        a.scale_min,
        a.scale_max,
        a.score_band,
        a.responded_at,
        last_value(p.currency ORDER BY p.ordered_at, p.currency) AS currency
    FROM first_answers a
    LEFT JOIN purchases p ON p.customer_id = a.customer_id AND p.ordered_at <= a.responded_at
    GROUP BY a.customer_id, a.metric, a.score, a.scale_min, a.scale_max, a.score_band, a.responded_at
),
spending AS (
    SELECT
        a.customer_id,
        a.metric,
        a.score,
        a.scale_min,
        a.scale_max,
        a.score_band,
        a.responded_at,
        a.currency,
        w.observed_until,
        a.currency IS NOT NULL AND a.responded_at + interval '90 days' <= w.observed_until AS counted,
        a.currency IS NOT NULL AND a.responded_at + interval '90 days' > w.observed_until AS censored,
        CAST(CASE WHEN count(p.ordered_at) > 0 THEN 1 ELSE 0 END AS double precision) AS repurchased,
        CAST(coalesce(sum(p.amount), 0) AS double precision) AS revenue,
        CASE
            WHEN count(p.margin) = count(p.ordered_at) THEN CAST(coalesce(sum(p.margin), 0) AS double precision)
        END AS margin
    FROM accounts a
    LEFT JOIN observed w ON w.currency = a.currency
    LEFT JOIN purchases p
        ON p.customer_id = a.customer_id
        AND p.currency = a.currency
        AND p.ordered_at > a.responded_at
        AND p.ordered_at <= a.responded_at + interval '90 days'
    GROUP BY
        a.customer_id, a.metric, a.score, a.scale_min, a.scale_max, a.score_band, a.currency, a.responded_at, w.observed_until
)
SELECT
    s.customer_id,
    s.metric,
    s.score,
    s.scale_min,
    s.scale_max,
    s.score_band,
    s.responded_at,
    s.currency,
    s.observed_until,
    s.counted,
    s.censored,
    s.repurchased,
    s.revenue,
    s.margin,
    coalesce(c.cases, 0) AS cases,
    CAST(coalesce(c.cost, 0) AS double precision) AS cost_to_serve
FROM spending s
LEFT JOIN service c ON c.customer_id = s.customer_id AND c.metric = s.metric;
COMMENT ON VIEW roi.outcomes IS 'What each person did in the 90 days after the first scored response, one row a person and metric. Cancelled orders count neither before nor after';
COMMENT ON COLUMN roi.outcomes.customer_id IS 'The person';
COMMENT ON COLUMN roi.outcomes.metric IS 'nps, csat, ces or rating';
COMMENT ON COLUMN roi.outcomes.score IS 'The response in units of its scale';
COMMENT ON COLUMN roi.outcomes.scale_min IS 'Lowest answer the scale allows';
COMMENT ON COLUMN roi.outcomes.scale_max IS 'Highest answer the scale allows';
COMMENT ON COLUMN roi.outcomes.score_band IS 'NPS: detractor (0 to 6), passive (7, 8), promoter (9, 10). Others by place on the scale: low (below 40 percent of the way up), middle, high (above 60 percent). NULL when the scale is unknown';
COMMENT ON COLUMN roi.outcomes.responded_at IS 'When the response was given';
COMMENT ON COLUMN roi.outcomes.currency IS 'Currency of the last order placed before the response. NULL when there was none';
COMMENT ON COLUMN roi.outcomes.observed_until IS 'Latest order in the currency';
COMMENT ON COLUMN roi.outcomes.counted IS 'Whether the 90 days are fully observed: only these rows say what was done';
COMMENT ON COLUMN roi.outcomes.censored IS 'Whether they end after observed_until';
COMMENT ON COLUMN roi.outcomes.repurchased IS '1 when there was an order in them, else 0';
COMMENT ON COLUMN roi.outcomes.revenue IS 'Sum of their amounts in currency, 0 without orders';
COMMENT ON COLUMN roi.outcomes.margin IS 'Sum of their margins in currency. NULL when an order has no margin';
COMMENT ON COLUMN roi.outcomes.cases IS 'Number of service cases opened in them';
COMMENT ON COLUMN roi.outcomes.cost_to_serve IS 'Cost of these cases, in the currency of the warehouse''s books';

CREATE OR REPLACE VIEW roi.linkage AS
WITH bands AS (
    SELECT
        metric,
        scale_min,
        scale_max,
        score_band,
        currency,
        observed_until,
        count(*) FILTER (WHERE counted) AS customers,
        count(*) FILTER (WHERE counted AND repurchased > 0) AS repurchasers,
        avg(repurchased) FILTER (WHERE counted) AS rate,
        CAST(nullif(count(*) FILTER (WHERE counted), 0) AS double precision) AS n,
        avg(revenue) FILTER (WHERE counted) AS mean_revenue,
        mean_low(CASE WHEN counted THEN revenue END) AS mean_revenue_low,
        mean_high(CASE WHEN counted THEN revenue END) AS mean_revenue_high,
        count(*) FILTER (WHERE censored) AS excluded_censored,
        count(*) FILTER (WHERE currency IS NULL) AS excluded_without_order,
        avg(margin) FILTER (WHERE counted) AS mean_margin,
        mean_low(CASE WHEN counted THEN margin END) AS mean_margin_low,
        mean_high(CASE WHEN counted THEN margin END) AS mean_margin_high,
        count(margin) FILTER (WHERE counted) AS margin_n,
        avg(CAST(cases AS double precision)) FILTER (WHERE counted) AS mean_cases,
        avg(cost_to_serve) FILTER (WHERE counted) AS mean_cost_to_serve
    FROM roi.outcomes
    GROUP BY metric, scale_min, scale_max, score_band, currency, observed_until
)
SELECT
    metric,
    scale_min,
    scale_max,
    score_band,
    currency,
    customers,
    repurchasers,
    rate AS repurchase_rate,
    CASE
        WHEN repurchasers > 0 THEN
            (rate + 3.841458820694124 / (2 * n)
                - 1.959963984540054 * sqrt(rate * (1 - rate) / n + 3.841458820694124 / (4 * n * n)))
            / (1 + 3.841458820694124 / n)
        WHEN customers > 0 THEN 0.0
    END AS repurchase_low,
    CASE
        WHEN repurchasers < customers THEN
            (rate + 3.841458820694124 / (2 * n)
                + 1.959963984540054 * sqrt(rate * (1 - rate) / n + 3.841458820694124 / (4 * n * n)))
            / (1 + 3.841458820694124 / n)
        WHEN customers > 0 THEN 1.0
    END AS repurchase_high,
    mean_revenue,
    mean_revenue_low,
    mean_revenue_high,
    excluded_censored,
    excluded_without_order,
    observed_until,
    mean_margin,
    mean_margin_low,
    mean_margin_high,
    margin_n,
    mean_cases,
    mean_cost_to_serve
FROM bands;
COMMENT ON VIEW roi.linkage IS 'Satisfaction against repurchase: what customers of each score band bought in the 90 days after their response. A person counts once a metric, with the first scored response. The window starts after the response and must be fully observed; cancelled orders count neither before nor after. An association, not yet an effect';
COMMENT ON COLUMN roi.linkage.metric IS 'nps, csat, ces or rating';
COMMENT ON COLUMN roi.linkage.scale_min IS 'Lowest answer the scale allows. Scales are never mixed';
COMMENT ON COLUMN roi.linkage.scale_max IS 'Highest answer the scale allows';
COMMENT ON COLUMN roi.linkage.score_band IS 'NPS: detractor (0 to 6), passive (7, 8), promoter (9, 10). Others by place on the scale: low (below 40 percent of the way up), middle, high (above 60 percent). NULL when the scale is unknown';
COMMENT ON COLUMN roi.linkage.currency IS 'Currency of the last order placed before the response, in which revenue and repurchase are counted. NULL when the person had not ordered by then';
COMMENT ON COLUMN roi.linkage.customers IS 'Number of persons whose window is fully observed, n of the rates and means';
COMMENT ON COLUMN roi.linkage.repurchasers IS 'Number of them who ordered within 90 days after the response';
COMMENT ON COLUMN roi.linkage.repurchase_rate IS 'repurchasers over customers, 0 to 1. NULL when customers is 0';
COMMENT ON COLUMN roi.linkage.repurchase_low IS 'Lower end of the 95 percent Wilson interval of the rate';
COMMENT ON COLUMN roi.linkage.repurchase_high IS 'Upper end of the 95 percent Wilson interval of the rate';
COMMENT ON COLUMN roi.linkage.mean_revenue IS 'Mean revenue a person in the 90 days, in currency, 0 for those who bought nothing. NULL when customers is 0';
COMMENT ON COLUMN roi.linkage.mean_revenue_low IS 'Lower end of the 95 percent interval of the mean. NULL below two customers';
COMMENT ON COLUMN roi.linkage.mean_revenue_high IS 'Upper end of the 95 percent interval of the mean. NULL below two customers';
COMMENT ON COLUMN roi.linkage.excluded_censored IS 'Number of persons left out because their 90 days end after observed_until';
COMMENT ON COLUMN roi.linkage.excluded_without_order IS 'Number of persons left out because they had not ordered by the time of the response';
COMMENT ON COLUMN roi.linkage.observed_until IS 'Latest order in the currency: later windows are not fully observed';
COMMENT ON COLUMN roi.linkage.mean_margin IS 'Mean margin a person in the 90 days, in currency. Persons with an order without a margin are left out';
COMMENT ON COLUMN roi.linkage.mean_margin_low IS 'Lower end of the 95 percent interval of the mean. NULL below two customers';
COMMENT ON COLUMN roi.linkage.mean_margin_high IS 'Upper end of the 95 percent interval of the mean. NULL below two customers';
COMMENT ON COLUMN roi.linkage.margin_n IS 'Number of persons whose margin is known, n of the mean';
COMMENT ON COLUMN roi.linkage.mean_cases IS 'Mean number of service cases a person opened in the 90 days';
COMMENT ON COLUMN roi.linkage.mean_cost_to_serve IS 'Mean cost of these cases a person, in the currency of the warehouse''s books';

CREATE OR REPLACE VIEW roi.value_of_point AS
SELECT
    metric, scale_min, scale_max, currency, measure, estimate, std_error, statistic, p_value, conf_low, conf_high, r_squared, n_obs
FROM value_of_point(
    'SELECT metric, scale_min, scale_max, currency, ''revenue'' AS measure, revenue AS money, score FROM roi.outcomes WHERE counted
     UNION ALL
     SELECT metric, scale_min, scale_max, currency, ''margin'', margin, score FROM roi.outcomes WHERE counted',
    'money', 'score', by => ARRAY['metric', 'scale_min', 'scale_max', 'currency', 'measure'], if_undefined => 'nothing');
COMMENT ON VIEW roi.value_of_point IS 'What one more point of a score goes along with in money a customer in the 90 days after: regression of roi.outcomes. An association: a programme''s own effect is in roi.programmes';
COMMENT ON COLUMN roi.value_of_point.metric IS 'nps, csat, ces or rating';
COMMENT ON COLUMN roi.value_of_point.scale_min IS 'Lowest answer the scale allows';
COMMENT ON COLUMN roi.value_of_point.scale_max IS 'Highest answer the scale allows';
COMMENT ON COLUMN roi.value_of_point.currency IS 'Currency of the money';
COMMENT ON COLUMN roi.value_of_point.measure IS 'revenue or margin';
COMMENT ON COLUMN roi.value_of_point.estimate IS 'Money a customer and point';
COMMENT ON COLUMN roi.value_of_point.std_error IS 'Its standard error';
COMMENT ON COLUMN roi.value_of_point.statistic IS 'estimate over std_error';
COMMENT ON COLUMN roi.value_of_point.p_value IS 'Probability of such a statistic if a point went along with nothing';
COMMENT ON COLUMN roi.value_of_point.conf_low IS 'Lower end of the 95 percent interval';
COMMENT ON COLUMN roi.value_of_point.conf_high IS 'Upper end of the 95 percent interval';
COMMENT ON COLUMN roi.value_of_point.r_squared IS 'Share of the variance of the money that the score accounts for';
COMMENT ON COLUMN roi.value_of_point.n_obs IS 'Number of customers';

CREATE OR REPLACE VIEW roi.drivers AS
SELECT
    metric, scale_min, scale_max, driver, n_obs, importance, share, conf_low, conf_high, direction, correlation, estimate,
    std_error, p_value, vif, r_squared
FROM drivers(
    'SELECT
         a.metric, a.scale_min, a.scale_max, a.score,
         CASE WHEN o.delivered_at > o.promised_at THEN 1 ELSE 0 END AS late,
         (date_part(''epoch'', o.delivered_at) - date_part(''epoch'', o.ordered_at)) / 86400 AS delivery_days,
         coalesce(k.cases, 0) AS cases_before,
         a.candidates AS orders_before
     FROM roi.answers_to_orders a
     JOIN (SELECT source_system, order_id, min(ordered_at) AS ordered_at, min(delivered_at) AS delivered_at,
                  min(promised_at) AS promised_at
           FROM o.orders GROUP BY source_system, order_id) o
         ON o.source_system = a.order_system AND o.order_id = a.order_id
     LEFT JOIN (SELECT b.source_system, b.feedback_id, count(*) AS cases
                FROM roi.answers_to_orders b
                JOIN (SELECT DISTINCT source_system, case_id, customer_id FROM id.case_customers) m ON m.customer_id = b.customer_id
                JOIN o.cases c
                    ON c.source_system = m.source_system AND c.case_id = m.case_id
                    AND c.opened_at <= b.occurred_at AND c.opened_at > b.occurred_at - interval ''90 days''
                GROUP BY b.source_system, b.feedback_id) k
         ON k.source_system = a.source_system AND k.feedback_id = a.feedback_id
     WHERE o.delivered_at <= a.occurred_at',
    'score', ARRAY['late', 'delivery_days', 'cases_before'], bootstrap => 200,
    by => ARRAY['metric', 'scale_min', 'scale_max'], if_undefined => 'nothing');
COMMENT ON VIEW roi.drivers IS 'How much a late delivery, days of delivery and service cases of the 90 days before account for in each score (relative weights). Answers about an order delivered before them count; their order is that of roi.answers_to_orders. No rows where one of the three does not vary';
COMMENT ON COLUMN roi.drivers.metric IS 'nps, csat, ces or rating';
COMMENT ON COLUMN roi.drivers.scale_min IS 'Lowest answer the scale allows';
COMMENT ON COLUMN roi.drivers.scale_max IS 'Highest answer the scale allows';
COMMENT ON COLUMN roi.drivers.driver IS 'late (1 or 0), delivery_days or cases_before';
COMMENT ON COLUMN roi.drivers.n_obs IS 'Number of answers';
COMMENT ON COLUMN roi.drivers.importance IS 'What the driver accounts for; together they make r_squared';
COMMENT ON COLUMN roi.drivers.share IS 'importance over their sum';
COMMENT ON COLUMN roi.drivers.conf_low IS 'Lower end of the 95 percent interval of the importance (200 bootstrap draws)';
COMMENT ON COLUMN roi.drivers.conf_high IS 'Upper end of the 95 percent interval of the importance';
COMMENT ON COLUMN roi.drivers.direction IS 'Sign of the estimate: positive, negative or none';
COMMENT ON COLUMN roi.drivers.correlation IS 'Correlation with the score';
COMMENT ON COLUMN roi.drivers.estimate IS 'Points of the score a unit of the driver, the others being equal';
COMMENT ON COLUMN roi.drivers.std_error IS 'Its standard error';
COMMENT ON COLUMN roi.drivers.p_value IS 'Probability of such an estimate if the driver had no part';
COMMENT ON COLUMN roi.drivers.vif IS 'Variance inflation factor';
COMMENT ON COLUMN roi.drivers.r_squared IS 'Share of the variance of the score that all three account for';

CREATE OR REPLACE VIEW roi.churn AS
SELECT
    metric, scale_min, scale_max, group_name AS score_band, "time" AS days, at_risk, events, censored, survival, std_error,
    conf_low, conf_high, median, median_low, median_high
FROM kaplan_meier(
    'SELECT
         a.metric, a.scale_min, a.scale_max, a.score_band,
         ceil((date_part(''epoch'', coalesce(s.ended_at, w.observed_until)) - date_part(''epoch'', a.responded_at)) / 86400) AS days,
         CASE WHEN s.ended_at IS NULL THEN 0 ELSE 1 END AS ended
     FROM roi.outcomes a
     JOIN (SELECT DISTINCT source_system, subscription_id, customer_id FROM id.subscription_customers) m ON m.customer_id = a.customer_id
     JOIN o.subscriptions s
         ON s.source_system = m.source_system AND s.subscription_id = m.subscription_id
         AND s.started_at <= a.responded_at AND (s.ended_at IS NULL OR s.ended_at > a.responded_at)
     CROSS JOIN (SELECT max(greatest(started_at, coalesce(ended_at, started_at))) AS observed_until FROM o.subscriptions) w
     WHERE a.score_band IS NOT NULL AND w.observed_until > a.responded_at',
    'days', 'ended', group_by => 'score_band', by => ARRAY['metric', 'scale_min', 'scale_max'], if_undefined => 'nothing');
COMMENT ON VIEW roi.churn IS 'How long subscriptions last after a response, by its score band (Kaplan-Meier): those active at the first scored response of a person, until their end, or until the latest start or end of any subscription';
COMMENT ON COLUMN roi.churn.metric IS 'nps, csat, ces or rating';
COMMENT ON COLUMN roi.churn.scale_min IS 'Lowest answer the scale allows';
COMMENT ON COLUMN roi.churn.scale_max IS 'Highest answer the scale allows';
COMMENT ON COLUMN roi.churn.score_band IS 'As in roi.outcomes';
COMMENT ON COLUMN roi.churn.days IS 'Days after the response';
COMMENT ON COLUMN roi.churn.at_risk IS 'Subscriptions that were there until then';
COMMENT ON COLUMN roi.churn.events IS 'Subscriptions that ended then';
COMMENT ON COLUMN roi.churn.censored IS 'Subscriptions last seen then';
COMMENT ON COLUMN roi.churn.survival IS 'Share that lasts longer';
COMMENT ON COLUMN roi.churn.std_error IS 'Its standard error (Greenwood)';
COMMENT ON COLUMN roi.churn.conf_low IS 'Lower end of the 95 percent interval';
COMMENT ON COLUMN roi.churn.conf_high IS 'Upper end of the 95 percent interval';
COMMENT ON COLUMN roi.churn.median IS 'Days after which half have ended. NULL when fewer have';
COMMENT ON COLUMN roi.churn.median_low IS 'Lower end of its interval';
COMMENT ON COLUMN roi.churn.median_high IS 'Upper end of its interval';

CREATE OR REPLACE VIEW roi.cohorts AS
SELECT cohort_at, period_number, customers, active, retention, conf_low, conf_high, complete
FROM cohort_retention(
    'SELECT m.customer_id, o.ordered_at
     FROM o.orders o
     JOIN (SELECT DISTINCT source_system, order_id, customer_id FROM id.order_customers) m ON m.source_system = o.source_system AND m.order_id = o.order_id
     WHERE (o.status IS DISTINCT FROM ''cancelled'') AND o.ordered_at IS NOT NULL',
    'customer_id', 'ordered_at', if_undefined => 'nothing');
COMMENT ON VIEW roi.cohorts IS 'Repurchase by cohort: persons by the month of their first order, and how many of them order in each later month. Cancelled orders do not count';
COMMENT ON COLUMN roi.cohorts.cohort_at IS 'Month of the first order';
COMMENT ON COLUMN roi.cohorts.period_number IS 'Months since, 0 for the month itself';
COMMENT ON COLUMN roi.cohorts.customers IS 'Persons of the cohort';
COMMENT ON COLUMN roi.cohorts.active IS 'Those of them who ordered in that month';
COMMENT ON COLUMN roi.cohorts.retention IS 'active over customers';
COMMENT ON COLUMN roi.cohorts.conf_low IS 'Lower end of the 95 percent Wilson interval';
COMMENT ON COLUMN roi.cohorts.conf_high IS 'Upper end of the 95 percent Wilson interval';
COMMENT ON COLUMN roi.cohorts.complete IS 'Whether the orders reach to the end of that month';

CREATE OR REPLACE VIEW roi.rfm AS
SELECT
    customer AS customer_id, currency, recency AS recency_days, CAST(frequency AS bigint) AS orders, monetary AS spent,
    recency_score, frequency_score, monetary_score
FROM rfm(
    'SELECT
         m.customer_id, o.currency,
         floor((date_part(''epoch'', w.observed_until) - date_part(''epoch'', max(o.ordered_at))) / 86400) AS days,
         count(*) AS orders,
         CAST(sum(o.amount) AS double precision) AS spent
     FROM o.orders o
     JOIN (SELECT DISTINCT source_system, order_id, customer_id FROM id.order_customers) m ON m.source_system = o.source_system AND m.order_id = o.order_id
     CROSS JOIN (SELECT max(ordered_at) AS observed_until FROM o.orders) w
     WHERE (o.status IS DISTINCT FROM ''cancelled'') AND o.ordered_at IS NOT NULL AND o.amount IS NOT NULL
     GROUP BY m.customer_id, o.currency, w.observed_until',
    'customer_id', 'days', 'orders', 'spent', by => 'currency', if_undefined => 'nothing');
COMMENT ON VIEW roi.rfm IS 'How recently, how often and for how much each person bought, one row a person and currency, scored from 1 to 5 (best) in parts of equal size. Cancelled orders do not count';
COMMENT ON COLUMN roi.rfm.customer_id IS 'The person';
COMMENT ON COLUMN roi.rfm.currency IS 'Currency of the orders';
COMMENT ON COLUMN roi.rfm.recency_days IS 'Days from the last order to the latest order of anybody';
COMMENT ON COLUMN roi.rfm.orders IS 'Number of orders';
COMMENT ON COLUMN roi.rfm.spent IS 'Sum of their amounts';
COMMENT ON COLUMN roi.rfm.recency_score IS '5 for the fifth that bought most recently';
COMMENT ON COLUMN roi.rfm.frequency_score IS '5 for the fifth that bought most often';
COMMENT ON COLUMN roi.rfm.monetary_score IS '5 for the fifth that spent most';

CREATE OR REPLACE VIEW roi.clv AS
SELECT
    customer AS customer_id, currency, frequency, recency AS recency_weeks, age AS age_weeks, mean_spend, p_alive,
    expected_purchases, expected_spend, clv
FROM clv(
    'SELECT m.customer_id, o.currency, o.ordered_at, o.amount
     FROM o.orders o
     JOIN (SELECT DISTINCT source_system, order_id, customer_id FROM id.order_customers) m ON m.source_system = o.source_system AND m.order_id = o.order_id
     WHERE (o.status IS DISTINCT FROM ''cancelled'') AND o.ordered_at IS NOT NULL AND o.amount > 0',
    'customer_id', 'ordered_at', 'amount', by => 'currency', if_undefined => 'nothing');
COMMENT ON VIEW roi.clv IS 'What each person is still going to spend in the next 52 weeks, one row a person and currency (BG/NBD and Gamma-Gamma, fitted on o.orders as of the latest order; no discount). Cancelled orders do not count';
COMMENT ON COLUMN roi.clv.customer_id IS 'The person';
COMMENT ON COLUMN roi.clv.currency IS 'Currency of the orders';
COMMENT ON COLUMN roi.clv.frequency IS 'Repeat purchases: days with an order after the first';
COMMENT ON COLUMN roi.clv.recency_weeks IS 'Weeks from the first purchase to the last';
COMMENT ON COLUMN roi.clv.age_weeks IS 'Weeks from the first purchase to the latest order of anybody';
COMMENT ON COLUMN roi.clv.mean_spend IS 'Mean spend a repeat purchase. NULL without one';
COMMENT ON COLUMN roi.clv.p_alive IS 'Probability that the person is still a customer';
COMMENT ON COLUMN roi.clv.expected_purchases IS 'Purchases to be expected in 52 weeks';
COMMENT ON COLUMN roi.clv.expected_spend IS 'Spend to be expected a purchase';
COMMENT ON COLUMN roi.clv.clv IS 'Spend to be expected in 52 weeks';

CREATE OR REPLACE VIEW roi.programmes AS
WITH costs AS (
    SELECT programme, currency, CAST(sum(amount) AS double precision) AS cost
    FROM o.costs
    GROUP BY programme, currency
),
joined AS (
    SELECT p.programme, i.customer_id, min(p.joined_at) AS joined_at
    FROM o.participants p
    JOIN id.identifiers i
        ON i.key_type = p.key_type
        AND i.key_value = id_key(p.key_type, p.key_value)
        AND coalesce(i.source_system, p.source_system) = p.source_system
    GROUP BY p.programme, i.customer_id
),
starts AS (
    SELECT programme, min(joined_at) AS started_at, max(joined_at) AS last_joined_at, count(*) AS participants
    FROM joined
    GROUP BY programme
),
purchases AS (
    SELECT m.customer_id, o.currency, o.ordered_at, o.amount, o.margin
    FROM o.orders o
    JOIN (SELECT DISTINCT source_system, order_id, customer_id FROM id.order_customers) m ON m.source_system = o.source_system AND m.order_id = o.order_id
    WHERE (o.status IS DISTINCT FROM 'cancelled') AND o.ordered_at IS NOT NULL
),
observed AS (
    SELECT
        currency,
        min(ordered_at) AS observed_from,
        max(ordered_at) AS observed_until,
        CASE WHEN count(margin) = count(*) THEN 'margin' ELSE 'revenue' END AS measure
    FROM purchases
    GROUP BY currency
),
subjects AS (
    SELECT
        c.programme, c.currency, s.started_at, b.customer_id, o.measure,
        CASE WHEN j.customer_id IS NULL THEN 0 ELSE 1 END AS treated
    FROM costs c
    JOIN starts s ON s.programme = c.programme
    JOIN observed o ON o.currency = c.currency
    JOIN (SELECT customer_id, currency, min(ordered_at) AS first_ordered_at FROM purchases GROUP BY customer_id, currency) b
        ON b.currency = c.currency AND b.first_ordered_at <= s.started_at - interval '180 days'
    LEFT JOIN joined j ON j.programme = c.programme AND j.customer_id = b.customer_id
),
spending AS (
    SELECT
        s.programme, s.currency, s.treated, s.customer_id,
        coalesce(sum(CASE WHEN p.ordered_at <= s.started_at - interval '90 days' THEN
            CAST(CASE WHEN s.measure = 'margin' THEN p.margin ELSE p.amount END AS double precision) END), 0) AS spent_earlier,
        coalesce(sum(CASE WHEN p.ordered_at > s.started_at - interval '90 days' AND p.ordered_at <= s.started_at THEN
            CAST(CASE WHEN s.measure = 'margin' THEN p.margin ELSE p.amount END AS double precision) END), 0) AS spent_before,
        coalesce(sum(CASE WHEN p.ordered_at > s.started_at THEN
            CAST(CASE WHEN s.measure = 'margin' THEN p.margin ELSE p.amount END AS double precision) END), 0) AS spent_after
    FROM subjects s
    LEFT JOIN purchases p
        ON p.customer_id = s.customer_id
        AND p.currency = s.currency
        AND p.ordered_at > s.started_at - interval '180 days'
        AND p.ordered_at <= s.started_at + interval '90 days'
    GROUP BY s.programme, s.currency, s.treated, s.customer_id
),
sides AS (
    SELECT
        programme, currency, treated,
        CAST(count(*) AS double precision) AS n,
        avg(spent_after - spent_before) AS moved,
        var_samp(spent_after - spent_before) / count(*) AS error,
        avg(spent_before - spent_earlier) AS moved_before,
        var_samp(spent_before - spent_earlier) / count(*) AS error_before
    FROM spending
    GROUP BY programme, currency, treated
),
compared AS (
    SELECT
        c.programme, c.currency, c.cost, s.started_at, s.participants, o.measure,
        t.n AS treated, n.n AS controls,
        t.moved - n.moved AS effect,
        sqrt(t.error + n.error) AS std_error,
        t.moved_before - n.moved_before AS pretrend,
        sqrt(t.error_before + n.error_before) AS pretrend_error,
        v.estimate AS value_of_point,
        CASE
            WHEN s.programme IS NULL THEN 'no participants are known in o.participants'
            WHEN o.currency IS NULL THEN 'there are no orders in the currency of the costs'
            WHEN s.started_at - interval '180 days' < o.observed_from THEN 'orders do not reach 180 days back before the start'
            WHEN s.started_at + interval '90 days' > o.observed_until THEN 'the 90 days after the start are not over'
            WHEN s.last_joined_at > s.started_at + interval '30 days' THEN 'participants joined over more than 30 days: use staggered_did'
            WHEN t.n IS NULL OR t.n < 30 THEN 'fewer than 30 participants were customers for 180 days'
            WHEN n.n IS NULL OR n.n < 30 THEN 'fewer than 30 customers are left to compare with'
            WHEN abs(t.moved_before - n.moved_before) > 1.959963984540054 * sqrt(t.error_before + n.error_before)
                THEN 'participants and others moved apart before the start already'
        END AS withheld
    FROM costs c
    LEFT JOIN starts s ON s.programme = c.programme
    LEFT JOIN observed o ON o.currency = c.currency
    LEFT JOIN sides t ON t.programme = c.programme AND t.currency = c.currency AND t.treated = 1
    LEFT JOIN sides n ON n.programme = c.programme AND n.currency = c.currency AND n.treated = 0
    LEFT JOIN (
        SELECT currency, measure, CASE WHEN count(*) = 1 AND max(estimate) > 0 THEN max(estimate) END AS estimate
        FROM roi.value_of_point
        WHERE metric = 'nps'
        GROUP BY currency, measure
    ) v ON v.currency = c.currency AND v.measure = o.measure
)
SELECT
    programme,
    currency,
    cost,
    started_at,
    measure,
    coalesce(participants, 0) AS participants,
    CAST(coalesce(treated, 0) AS bigint) AS treated,
    CAST(coalesce(controls, 0) AS bigint) AS controls,
    pretrend,
    pretrend - 1.959963984540054 * pretrend_error AS pretrend_low,
    pretrend + 1.959963984540054 * pretrend_error AS pretrend_high,
    CASE WHEN withheld IS NULL THEN effect END AS effect,
    CASE WHEN withheld IS NULL THEN effect - 1.959963984540054 * std_error END AS effect_low,
    CASE WHEN withheld IS NULL THEN effect + 1.959963984540054 * std_error END AS effect_high,
    CASE WHEN withheld IS NULL THEN effect * treated END AS gain,
    CASE WHEN withheld IS NULL THEN (effect * treated - cost) / nullif(cost, 0) END AS roi,
    CASE WHEN withheld IS NULL THEN ((effect - 1.959963984540054 * std_error) * treated - cost) / nullif(cost, 0) END AS roi_low,
    CASE WHEN withheld IS NULL THEN ((effect + 1.959963984540054 * std_error) * treated - cost) / nullif(cost, 0) END AS roi_high,
    value_of_point,
    cost / (value_of_point * nullif(treated, 0)) AS break_even_points,
    withheld
FROM compared;
COMMENT ON VIEW roi.programmes IS 'What improvement programmes cost and brought in, one row a programme and currency of its costs: what participants spent in the 90 days after the start more than in the 90 days before, less the same of the others (difference in differences over customers of at least 180 days). When an assumption fails, withheld says which, and the numbers are NULL';
COMMENT ON COLUMN roi.programmes.programme IS 'The programme, as in o.costs and o.participants';
COMMENT ON COLUMN roi.programmes.currency IS 'Currency of its costs, and of the spending compared';
COMMENT ON COLUMN roi.programmes.cost IS 'Sum of its costs';
COMMENT ON COLUMN roi.programmes.started_at IS 'When the first participant joined';
COMMENT ON COLUMN roi.programmes.measure IS 'margin when every order in the currency has one, else revenue';
COMMENT ON COLUMN roi.programmes.participants IS 'Number of persons who joined';
COMMENT ON COLUMN roi.programmes.treated IS 'Number of them who were customers 180 days before the start, n of the effect';
COMMENT ON COLUMN roi.programmes.controls IS 'Number of other persons who were';
COMMENT ON COLUMN roi.programmes.pretrend IS 'The same difference one window earlier, when there was no programme: it should be 0';
COMMENT ON COLUMN roi.programmes.pretrend_low IS 'Lower end of its 95 percent interval';
COMMENT ON COLUMN roi.programmes.pretrend_high IS 'Upper end of its 95 percent interval';
COMMENT ON COLUMN roi.programmes.effect IS 'Money a treated person and 90 days that the programme brought in';
COMMENT ON COLUMN roi.programmes.effect_low IS 'Lower end of its 95 percent interval';
COMMENT ON COLUMN roi.programmes.effect_high IS 'Upper end of its 95 percent interval';
COMMENT ON COLUMN roi.programmes.gain IS 'effect times treated';
COMMENT ON COLUMN roi.programmes.roi IS 'gain less cost, over cost: 0 when the programme pays for itself';
COMMENT ON COLUMN roi.programmes.roi_low IS 'Lower end of its 95 percent interval';
COMMENT ON COLUMN roi.programmes.roi_high IS 'Upper end of its 95 percent interval';
COMMENT ON COLUMN roi.programmes.value_of_point IS 'What a point of the recommendation question goes along with a customer and 90 days: roi.value_of_point. NULL when it is not above 0';
COMMENT ON COLUMN roi.programmes.break_even_points IS 'By how many points the score of the treated would have to rise to pay for the cost, at that value';
COMMENT ON COLUMN roi.programmes.withheld IS 'Why there is no effect: the assumption that fails. NULL when all hold';
