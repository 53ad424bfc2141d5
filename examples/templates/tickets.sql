-- Tickets of a help desk, one a row. Put exports under landing/tickets/. One file feeds two tables: the ticket is a
-- case of operations, what the customer wrote in it is feedback, with the verdict on the answer if there is one.

CREATE PIPE template_ticket_cases FROM 'landing/tickets/' INTO o.cases
FORMAT csv OPTIONS (null_markers '-, not offered') ON CALL AS
SELECT
    ticket_id AS case_id,
    'tickets' AS source_system,
    'email' AS key_type,
    requester_email AS key_value,
    created_at AS opened_at,
    first_replied_at AS first_response_at,
    solved_at AS closed_at,
    reopened_at,
    topic,
    status,
    json_build_object('subject', subject, 'priority', priority) AS attributes
FROM source;

CREATE PIPE template_tickets FROM 'landing/tickets/' INTO x.feedback
FORMAT csv OPTIONS (null_markers '-, not offered') ON CALL AS
SELECT
    ticket_id AS feedback_id,
    'tickets' AS source_system,
    'complaint' AS kind,
    channel,
    topic AS touchpoint,
    'email' AS key_type,
    requester_email AS key_value,
    CASE WHEN satisfaction IS NOT NULL THEN 'csat' END AS metric,
    CASE lower(satisfaction) WHEN 'good' THEN 1 WHEN 'bad' THEN 0 END AS score,
    0 AS scale_min,
    1 AS scale_max,
    concat_ws(chr(10), subject, description, satisfaction_comment) AS comment,
    created_at AS occurred_at
FROM source;
