-- What identity resolution keeps. CALL id.refresh() writes these tables; people write id.identifier_policy and
-- id.blocked_values, and decide by CALL id.merge(…) and id.unmerge(…).

CREATE TABLE IF NOT EXISTS id.history (
    customer_id   text,
    record        text,
    source_system text,
    record_id     text,
    valid_from    timestamptz,
    valid_to      timestamptz,
    reason        text,
    version       bigint
);
COMMENT ON TABLE id.history IS 'Whose each record is and was: one row a time during which a record was a customer''s';
COMMENT ON COLUMN id.history.customer_id IS 'The person';
COMMENT ON COLUMN id.history.record IS 'The record as source_system/record_id';
COMMENT ON COLUMN id.history.source_system IS 'The system of the record';
COMMENT ON COLUMN id.history.record_id IS 'Identifier of the record in its system';
COMMENT ON COLUMN id.history.valid_from IS 'Since when the record was the customer''s';
COMMENT ON COLUMN id.history.valid_to IS 'Until when. NULL while it is';
COMMENT ON COLUMN id.history.reason IS 'new: the record came; back: it came again; merge: its former customer is no more; split: its former customer goes on without it';
COMMENT ON COLUMN id.history.version IS 'The refresh that found it';

CREATE TABLE IF NOT EXISTS id.edges (
    record_a    text,
    record_b    text,
    weight      numeric(9,3),
    probability double precision,
    rule        text,
    bridge      boolean,
    pattern     bigint,
    version     bigint
);
COMMENT ON TABLE id.edges IS 'Pairs of records that were compared, with their match weight, down to ten bits below the threshold of -2';
COMMENT ON COLUMN id.edges.record_a IS 'A record as source_system/record_id';
COMMENT ON COLUMN id.edges.record_b IS 'The other record';
COMMENT ON COLUMN id.edges.weight IS 'Match weight in bits: the logarithm to base 2 of the odds that the two are one person';
COMMENT ON COLUMN id.edges.probability IS 'Match probability by the weight';
COMMENT ON COLUMN id.edges.rule IS 'What decided: model, or the identifier whose policy merges or separates';
COMMENT ON COLUMN id.edges.bridge IS 'Whether a customer of three or more records falls apart without the pair';
COMMENT ON COLUMN id.edges.pattern IS 'The comparison levels, four bits a column, for id.explain';
COMMENT ON COLUMN id.edges.version IS 'The refresh that weighed it';

CREATE TABLE IF NOT EXISTS id.decisions (
    decision_id  text,
    kind         text,
    record_a     text,
    record_b     text,
    reason       text,
    decided_by   text,
    decided_at   timestamptz,
    withdrawn_by text,
    withdrawn_at timestamptz
);
COMMENT ON TABLE id.decisions IS 'What people decided about pairs of records. Decisions stand above the model and survive its training';
COMMENT ON COLUMN id.decisions.decision_id IS 'The decision; one about customers has several pairs';
COMMENT ON COLUMN id.decisions.kind IS 'merge: the two are one person; unmerge: they are not';
COMMENT ON COLUMN id.decisions.record_a IS 'A record as source_system/record_id';
COMMENT ON COLUMN id.decisions.record_b IS 'The other record';
COMMENT ON COLUMN id.decisions.reason IS 'Why';
COMMENT ON COLUMN id.decisions.decided_by IS 'The role that decided';
COMMENT ON COLUMN id.decisions.decided_at IS 'When';
COMMENT ON COLUMN id.decisions.withdrawn_by IS 'The role that took it back, by id.undo or by an unmerge against it';
COMMENT ON COLUMN id.decisions.withdrawn_at IS 'When. NULL while it stands';

CREATE TABLE IF NOT EXISTS id.identifier_policy (
    key_type     text,
    merges       boolean,
    separates    boolean,
    most_records bigint
);
COMMENT ON TABLE id.identifier_policy IS 'What identifiers say by themselves. The first refresh writes the defaults; change them and refresh';
COMMENT ON COLUMN id.identifier_policy.key_type IS 'A column of o.customers that identifies a person';
COMMENT ON COLUMN id.identifier_policy.merges IS 'Equal values are one person, whatever else differs';
COMMENT ON COLUMN id.identifier_policy.separates IS 'Plainly different values are two persons, whatever else agrees';
COMMENT ON COLUMN id.identifier_policy.most_records IS 'Records that may hold one value; beyond, it is shared and joins nobody';

CREATE TABLE IF NOT EXISTS id.blocked_values (
    key_type  text,
    key_value text,
    reason    text,
    records   bigint
);
COMMENT ON TABLE id.blocked_values IS 'Identifiers that join nobody. A refresh finds shared ones and placeholders; INSERT your own';
COMMENT ON COLUMN id.blocked_values.key_type IS 'Which identifier key_value is';
COMMENT ON COLUMN id.blocked_values.key_value IS 'The value as id_key() normalises it';
COMMENT ON COLUMN id.blocked_values.reason IS 'shared: held by more records than id.identifier_policy allows; placeholder: known to mean nothing; user or NULL: somebody wrote it here';
COMMENT ON COLUMN id.blocked_values.records IS 'Records of o.customers that hold it';

CREATE TABLE IF NOT EXISTS id.model (
    version     bigint,
    column_name text,
    level       bigint,
    level_name  text,
    m           double precision,
    u           double precision,
    h           double precision,
    weight      numeric(9,3)
);
COMMENT ON TABLE id.model IS 'The Fellegi-Sunter model in force: one row a comparison level, and the rows prior and related';
COMMENT ON COLUMN id.model.version IS 'The refresh that trained it';
COMMENT ON COLUMN id.model.column_name IS 'The column compared. prior: two records at random; related: two records of one household';
COMMENT ON COLUMN id.model.level IS 'Comparison level; 1 to 8 are equal values, the more frequent the higher';
COMMENT ON COLUMN id.model.level_name IS 'What the level means';
COMMENT ON COLUMN id.model.m IS 'Probability of the level among records of one person; of prior and related, their share of all pairs';
COMMENT ON COLUMN id.model.u IS 'Probability of the level among records of different persons';
COMMENT ON COLUMN id.model.h IS 'Probability of the level among records of different persons who live together';
COMMENT ON COLUMN id.model.weight IS 'Match weight in bits, the logarithm to base 2 of m/u';

CREATE TABLE IF NOT EXISTS id.models (
    version    bigint,
    trained_at timestamptz,
    records    bigint,
    document   text
);
COMMENT ON TABLE id.models IS 'The model in force as a whole, for the next refresh';
COMMENT ON COLUMN id.models.version IS 'The refresh that trained it';
COMMENT ON COLUMN id.models.trained_at IS 'When';
COMMENT ON COLUMN id.models.records IS 'Records that it was trained on';
COMMENT ON COLUMN id.models.document IS 'The model as JSON';

CREATE TABLE IF NOT EXISTS id.blocking_report (
    version         bigint,
    rule            text,
    pairs           bigint,
    largest_group   bigint,
    skipped_groups  bigint,
    skipped_records bigint
);
COMMENT ON TABLE id.blocking_report IS 'What each blocking rule of the last refresh cost';
COMMENT ON COLUMN id.blocking_report.version IS 'The refresh';
COMMENT ON COLUMN id.blocking_report.rule IS 'What records have in common to be compared';
COMMENT ON COLUMN id.blocking_report.pairs IS 'Candidate pairs that it gave';
COMMENT ON COLUMN id.blocking_report.largest_group IS 'Records in the largest group that was compared';
COMMENT ON COLUMN id.blocking_report.skipped_groups IS 'Groups that were too large to be compared';
COMMENT ON COLUMN id.blocking_report.skipped_records IS 'Records in them';

CREATE TABLE IF NOT EXISTS id.households (
    household_id text,
    customer_id  text,
    evidence     text,
    version      bigint
);
COMMENT ON TABLE id.households IS 'Customers who share an address or a telephone and are not one person; a value that more than eight share makes no household';
COMMENT ON COLUMN id.households.household_id IS 'The household: the least customer_id in it';
COMMENT ON COLUMN id.households.customer_id IS 'The person';
COMMENT ON COLUMN id.households.evidence IS 'What the person shares with another of the household: address, phone';
COMMENT ON COLUMN id.households.version IS 'The refresh that found it';

CREATE TABLE IF NOT EXISTS id.runs (
    version          bigint,
    refreshed_at     timestamptz,
    trained          boolean,
    records          bigint,
    customers        bigint,
    largest_customer bigint,
    pairs            bigint,
    new_customers    bigint,
    gone_customers   bigint
);
COMMENT ON TABLE id.runs IS 'Every refresh of identity resolution';
COMMENT ON COLUMN id.runs.version IS 'Its number';
COMMENT ON COLUMN id.runs.refreshed_at IS 'When it began';
COMMENT ON COLUMN id.runs.trained IS 'Whether it trained a model or used that of an earlier one';
COMMENT ON COLUMN id.runs.records IS 'Records of o.customers';
COMMENT ON COLUMN id.runs.customers IS 'Customers they are of';
COMMENT ON COLUMN id.runs.largest_customer IS 'Records of the customer with the most';
COMMENT ON COLUMN id.runs.pairs IS 'Pairs kept in id.edges';
COMMENT ON COLUMN id.runs.new_customers IS 'Customers that there were not before';
COMMENT ON COLUMN id.runs.gone_customers IS 'Customers that were there before and are no more';

CREATE OR REPLACE VIEW id.clusters AS
SELECT record, source_system, record_id, customer_id, valid_from AS assigned_at, version
FROM id.history
WHERE valid_to IS NULL;

COMMENT ON VIEW id.clusters IS 'Whose each record is, by the last refresh. id.records adds records that came since';
COMMENT ON COLUMN id.clusters.record IS 'The record as source_system/record_id';
COMMENT ON COLUMN id.clusters.source_system IS 'The system of the record';
COMMENT ON COLUMN id.clusters.record_id IS 'Identifier of the record in its system';
COMMENT ON COLUMN id.clusters.customer_id IS 'The person';
COMMENT ON COLUMN id.clusters.assigned_at IS 'Since when the record is the person''s';
COMMENT ON COLUMN id.clusters.version IS 'The refresh that found it';

CREATE OR REPLACE VIEW id.review AS
WITH pairs AS (
    SELECT
        e.record_a,
        e.record_b,
        a.customer_id AS customer_a,
        b.customer_id AS customer_b,
        CASE
            WHEN a.customer_id <> b.customer_id AND e.weight >= -2 THEN 'alike but apart'
            WHEN a.customer_id = b.customer_id AND e.bridge AND e.weight < 10 THEN 'bridge'
            WHEN a.customer_id = b.customer_id AND e.weight BETWEEN -2 AND 3 THEN 'uncertain'
        END AS reason,
        e.weight,
        e.probability
    FROM id.edges e
    JOIN id.clusters a ON a.record = e.record_a
    JOIN id.clusters b ON b.record = e.record_b
)
SELECT p.record_a, p.record_b, p.customer_a, p.customer_b, p.reason, p.weight, p.probability
FROM pairs p
LEFT JOIN id.decisions d
    ON d.record_a = p.record_a AND d.record_b = p.record_b AND d.withdrawn_at IS NULL
WHERE p.reason IS NOT NULL AND d.decision_id IS NULL;

COMMENT ON VIEW id.review IS 'Pairs that a person should look at, and nobody has decided about';
COMMENT ON COLUMN id.review.record_a IS 'A record as source_system/record_id';
COMMENT ON COLUMN id.review.record_b IS 'The other record';
COMMENT ON COLUMN id.review.customer_a IS 'Whose record_a is';
COMMENT ON COLUMN id.review.customer_b IS 'Whose record_b is';
COMMENT ON COLUMN id.review.reason IS 'bridge: a customer falls apart without a link below 10 bits; uncertain: joined at 3 bits or less; alike but apart: above the threshold, and other records speak against it';
COMMENT ON COLUMN id.review.weight IS 'Match weight in bits';
COMMENT ON COLUMN id.review.probability IS 'Match probability by the weight';
