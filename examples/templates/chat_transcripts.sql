-- Transcripts of chats and calls, one conversation a document, its turns in an array: a JSON array or one document
-- after the other. Put files under landing/chats/.
--
-- What the customer says becomes feedback, a row a turn, so that an opinion is never the agent's. Every turn, of
-- whomever, becomes an event of the conversation, in order: hand-overs, waiting and length are read there.

CREATE PIPE template_chats FROM 'landing/chats/' INTO x.feedback
FORMAT json ON CALL AS
SELECT
    conversation_id || ':' || turn AS feedback_id,
    'chat' AS source_system,
    'chat' AS kind,
    channel,
    'service' AS touchpoint,
    'phone' AS key_type,
    person->>'phone' AS key_value,
    said->(turn - 1)->>'text' AS comment,
    said->(turn - 1)->>'at' AS occurred_at,
    json_build_object('conversation', conversation_id, 'turn', turn) AS attributes
FROM (
    SELECT conversation_id, channel, CAST(customer AS json) AS person, CAST(turns AS json) AS said,
        unnest(generate_series(1, json_array_length(CAST(turns AS json)))) AS turn
    FROM source
) t
WHERE said->(turn - 1)->>'speaker' = 'customer';

CREATE PIPE template_chat_turns FROM 'landing/chats/' INTO x.events
FORMAT json ON CALL AS
SELECT
    conversation_id || ':' || turn AS event_id,
    'chat' AS source_system,
    conversation_id AS session_id,
    'phone' AS key_type,
    person->>'phone' AS key_value,
    'chat_' || (said->(turn - 1)->>'speaker') AS event_name,
    said->(turn - 1)->>'at' AS occurred_at,
    said->(turn - 1) AS attributes
FROM (
    SELECT conversation_id, CAST(customer AS json) AS person, CAST(turns AS json) AS said,
        unnest(generate_series(1, json_array_length(CAST(turns AS json)))) AS turn
    FROM source
) t;
