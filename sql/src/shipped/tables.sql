-- The canonical tables. Any source becomes canonical by a pipe or a view written in SQL.
-- The CHECKs say what happens to an absent value: SQL lets a NULL answer pass, other Delta writers do not.

CREATE TABLE IF NOT EXISTS x.feedback (
    feedback_id   text NOT NULL,
    source_system text NOT NULL,
    kind          text NOT NULL,
    channel       text,
    touchpoint    text,
    key_type      text,
    key_value     text,
    order_id      text,
    metric        text,
    score         double precision,
    scale_min     double precision,
    scale_max     double precision,
    comment       text,
    language      text,
    weight        double precision,
    occurred_at   timestamptz,
    attributes    json,
    CONSTRAINT feedback_kind CHECK (kind IN ('survey', 'review', 'complaint', 'chat', 'social', 'call')),
    CONSTRAINT feedback_metric CHECK (metric IS NULL OR metric IN ('nps', 'csat', 'ces', 'rating')),
    CONSTRAINT feedback_score_in_scale CHECK (coalesce(score >= scale_min, true) AND coalesce(score <= scale_max, true)),
    CONSTRAINT feedback_weight CHECK (weight IS NULL OR weight >= 0)
);
COMMENT ON TABLE x.feedback IS 'What customers say: one row a survey answer, review, complaint, chat message, post or call';
COMMENT ON COLUMN x.feedback.feedback_id IS 'Identifier of the answer or message, unique within source_system';
COMMENT ON COLUMN x.feedback.source_system IS 'The system the row comes from, its ids are unique within it';
COMMENT ON COLUMN x.feedback.kind IS 'survey, review, complaint, chat, social or call';
COMMENT ON COLUMN x.feedback.channel IS 'Where it was said, for example app, wechat, phone, store';
COMMENT ON COLUMN x.feedback.touchpoint IS 'Which contact it is about, for example delivery, checkout, hotline';
COMMENT ON COLUMN x.feedback.key_type IS 'Which identifier key_value is: record_id, phone, email, wechat_openid, wechat_unionid, member_no, id_card, order_id, device_id. NULL when nobody is named';
COMMENT ON COLUMN x.feedback.key_value IS 'The identifier as the source wrote it, id_key() normalises it. NULL never equals NULL';
COMMENT ON COLUMN x.feedback.order_id IS 'The order it is about, an order of the same source_system';
COMMENT ON COLUMN x.feedback.metric IS 'nps, csat, ces or rating. NULL when no score was asked for';
COMMENT ON COLUMN x.feedback.score IS 'The answer in units of the scale, higher is better. NULL when not given, never 0';
COMMENT ON COLUMN x.feedback.scale_min IS 'Lowest answer the scale allows, for example 0 for NPS';
COMMENT ON COLUMN x.feedback.scale_max IS 'Highest answer the scale allows, for example 10 for NPS';
COMMENT ON COLUMN x.feedback.comment IS 'The verbatim, untouched';
COMMENT ON COLUMN x.feedback.language IS 'ISO 639-1 code of the comment, for example zh or en';
COMMENT ON COLUMN x.feedback.weight IS 'Survey weight, a non-negative number. NULL counts as 1';
COMMENT ON COLUMN x.feedback.occurred_at IS 'When it was said';
COMMENT ON COLUMN x.feedback.attributes IS 'Everything else the source says, as a JSON object';

CREATE TABLE IF NOT EXISTS x.events (
    event_id      text NOT NULL,
    source_system text NOT NULL,
    session_id    text,
    key_type      text,
    key_value     text,
    event_name    text NOT NULL,
    occurred_at   timestamptz NOT NULL,
    attributes    json
);
COMMENT ON TABLE x.events IS 'What customers do on a site, in an app or in a store: one row an event';
COMMENT ON COLUMN x.events.event_id IS 'Identifier of the event, unique within source_system';
COMMENT ON COLUMN x.events.source_system IS 'The system the row comes from, its ids are unique within it';
COMMENT ON COLUMN x.events.session_id IS 'Visit the event belongs to, as the source names it';
COMMENT ON COLUMN x.events.key_type IS 'Which identifier key_value is: record_id, phone, email, wechat_openid, wechat_unionid, member_no, id_card, order_id, device_id. NULL when nobody is named';
COMMENT ON COLUMN x.events.key_value IS 'The identifier as the source wrote it, id_key() normalises it. NULL never equals NULL';
COMMENT ON COLUMN x.events.event_name IS 'What happened, for example view, cart, pay';
COMMENT ON COLUMN x.events.occurred_at IS 'When it happened';
COMMENT ON COLUMN x.events.attributes IS 'Everything else the source says, as a JSON object';

CREATE TABLE IF NOT EXISTS o.customers (
    record_id      text NOT NULL,
    source_system  text NOT NULL,
    name           text,
    phone          text,
    email          text,
    wechat_openid  text,
    wechat_unionid text,
    member_no      text,
    id_card        text,
    address        text,
    city           text,
    birth_date     date,
    gender         text,
    segment        text,
    created_at     timestamptz,
    updated_at     timestamptz,
    attributes     json
);
COMMENT ON TABLE o.customers IS 'Who the source systems know: one row a source record, so one person may have several';
COMMENT ON COLUMN o.customers.record_id IS 'Identifier of the record, unique within source_system. Leading zeros are kept';
COMMENT ON COLUMN o.customers.source_system IS 'The system the row comes from, its ids are unique within it';
COMMENT ON COLUMN o.customers.name IS 'Name as written';
COMMENT ON COLUMN o.customers.phone IS 'Telephone number as written';
COMMENT ON COLUMN o.customers.email IS 'E-mail address as written';
COMMENT ON COLUMN o.customers.wechat_openid IS 'WeChat openid: one person in one mini-program or account';
COMMENT ON COLUMN o.customers.wechat_unionid IS 'WeChat unionid: one person across one company''s accounts';
COMMENT ON COLUMN o.customers.member_no IS 'Membership number. Leading zeros are kept';
COMMENT ON COLUMN o.customers.id_card IS 'Identity card number';
COMMENT ON COLUMN o.customers.address IS 'Postal address as written';
COMMENT ON COLUMN o.customers.city IS 'City';
COMMENT ON COLUMN o.customers.birth_date IS 'Date of birth';
COMMENT ON COLUMN o.customers.gender IS 'Gender as the source codes it';
COMMENT ON COLUMN o.customers.segment IS 'Segment or tier the source assigns';
COMMENT ON COLUMN o.customers.created_at IS 'When the record was made';
COMMENT ON COLUMN o.customers.updated_at IS 'When the record last changed, decides which value survives';
COMMENT ON COLUMN o.customers.attributes IS 'Everything else the source says, as a JSON object';

CREATE TABLE IF NOT EXISTS o.orders (
    order_id      text NOT NULL,
    source_system text NOT NULL,
    key_type      text,
    key_value     text,
    ordered_at    timestamptz,
    delivered_at  timestamptz,
    promised_at   timestamptz,
    status        text,
    currency      text,
    amount        numeric(18,2),
    margin        numeric(18,2),
    channel       text,
    product       text,
    category      text,
    attributes    json,
    CONSTRAINT orders_currency CHECK (amount IS NULL OR currency IS NOT NULL)
);
COMMENT ON TABLE o.orders IS 'What customers buy: one row an order';
COMMENT ON COLUMN o.orders.order_id IS 'Identifier of the order, unique within source_system. Leading zeros are kept';
COMMENT ON COLUMN o.orders.source_system IS 'The system the row comes from, its ids are unique within it';
COMMENT ON COLUMN o.orders.key_type IS 'Which identifier key_value is: record_id, phone, email, wechat_openid, wechat_unionid, member_no, id_card, order_id, device_id. NULL when nobody is named';
COMMENT ON COLUMN o.orders.key_value IS 'The identifier as the source wrote it, id_key() normalises it. NULL never equals NULL';
COMMENT ON COLUMN o.orders.ordered_at IS 'When the order was placed';
COMMENT ON COLUMN o.orders.delivered_at IS 'When it arrived. NULL when not (yet) delivered';
COMMENT ON COLUMN o.orders.promised_at IS 'When it was promised to arrive, late means delivered_at > promised_at';
COMMENT ON COLUMN o.orders.status IS 'State of the order. The value cancelled keeps an order out of revenue and repurchase';
COMMENT ON COLUMN o.orders.currency IS 'ISO 4217 code, upper-case, for example CNY. Amounts of different currencies are never added';
COMMENT ON COLUMN o.orders.amount IS 'What the customer paid, in currency';
COMMENT ON COLUMN o.orders.margin IS 'Contribution margin, in currency';
COMMENT ON COLUMN o.orders.channel IS 'Where it was bought, for example app, wechat, store';
COMMENT ON COLUMN o.orders.product IS 'Product bought, the main one of several';
COMMENT ON COLUMN o.orders.category IS 'Category of the product';
COMMENT ON COLUMN o.orders.attributes IS 'Everything else the source says, as a JSON object';

CREATE TABLE IF NOT EXISTS o.cases (
    case_id           text NOT NULL,
    source_system     text NOT NULL,
    key_type          text,
    key_value         text,
    opened_at         timestamptz,
    first_response_at timestamptz,
    closed_at         timestamptz,
    reopened_at       timestamptz,
    topic             text,
    cost              numeric(18,2),
    status            text,
    attributes        json
);
COMMENT ON TABLE o.cases IS 'What customers asked for help with: one row a service case';
COMMENT ON COLUMN o.cases.case_id IS 'Identifier of the case, unique within source_system';
COMMENT ON COLUMN o.cases.source_system IS 'The system the row comes from, its ids are unique within it';
COMMENT ON COLUMN o.cases.key_type IS 'Which identifier key_value is: record_id, phone, email, wechat_openid, wechat_unionid, member_no, id_card, order_id, device_id. NULL when nobody is named';
COMMENT ON COLUMN o.cases.key_value IS 'The identifier as the source wrote it, id_key() normalises it. NULL never equals NULL';
COMMENT ON COLUMN o.cases.opened_at IS 'When the case was opened';
COMMENT ON COLUMN o.cases.first_response_at IS 'When it was first answered';
COMMENT ON COLUMN o.cases.closed_at IS 'When it was closed. NULL while open';
COMMENT ON COLUMN o.cases.reopened_at IS 'When it was last opened again';
COMMENT ON COLUMN o.cases.topic IS 'What it is about';
COMMENT ON COLUMN o.cases.cost IS 'Cost of handling, in the currency of the warehouse''s books';
COMMENT ON COLUMN o.cases.status IS 'State of the case, for example open, closed';
COMMENT ON COLUMN o.cases.attributes IS 'Everything else the source says, as a JSON object';

CREATE TABLE IF NOT EXISTS o.subscriptions (
    subscription_id text NOT NULL,
    source_system   text NOT NULL,
    key_type        text,
    key_value       text,
    plan            text,
    started_at      timestamptz,
    ended_at        timestamptz,
    monthly_amount  numeric(18,2),
    currency        text,
    CONSTRAINT subscriptions_currency CHECK (monthly_amount IS NULL OR currency IS NOT NULL),
    CONSTRAINT subscriptions_period CHECK (coalesce(ended_at >= started_at, true))
);
COMMENT ON TABLE o.subscriptions IS 'What customers keep paying for: one row a subscription';
COMMENT ON COLUMN o.subscriptions.subscription_id IS 'Identifier of the subscription, unique within source_system';
COMMENT ON COLUMN o.subscriptions.source_system IS 'The system the row comes from, its ids are unique within it';
COMMENT ON COLUMN o.subscriptions.key_type IS 'Which identifier key_value is: record_id, phone, email, wechat_openid, wechat_unionid, member_no, id_card, order_id, device_id. NULL when nobody is named';
COMMENT ON COLUMN o.subscriptions.key_value IS 'The identifier as the source wrote it, id_key() normalises it. NULL never equals NULL';
COMMENT ON COLUMN o.subscriptions.plan IS 'Plan subscribed to';
COMMENT ON COLUMN o.subscriptions.started_at IS 'When it began';
COMMENT ON COLUMN o.subscriptions.ended_at IS 'When it ended. NULL while active';
COMMENT ON COLUMN o.subscriptions.monthly_amount IS 'Price a month, in currency';
COMMENT ON COLUMN o.subscriptions.currency IS 'ISO 4217 code, upper-case, for example CNY. Amounts of different currencies are never added';

CREATE TABLE IF NOT EXISTS o.costs (
    cost_id     text NOT NULL,
    programme   text NOT NULL,
    currency    text NOT NULL,
    amount      numeric(18,2) NOT NULL,
    occurred_at timestamptz
);
COMMENT ON TABLE o.costs IS 'What improvement programmes cost: one row a payment';
COMMENT ON COLUMN o.costs.cost_id IS 'Identifier of the payment';
COMMENT ON COLUMN o.costs.programme IS 'Programme it was spent on';
COMMENT ON COLUMN o.costs.currency IS 'ISO 4217 code, upper-case, for example CNY. Amounts of different currencies are never added';
COMMENT ON COLUMN o.costs.amount IS 'Amount spent, in currency';
COMMENT ON COLUMN o.costs.occurred_at IS 'When it was spent';
