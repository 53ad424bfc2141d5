-- Qualtrics: a CSV export ("Export data", choice text or numeric values, unzipped or as the .zip it comes in).
--
-- The file has three rows of headings: the short name of each question, its wording, and its ImportId. The first
-- names the columns, the two others are skipped. Put exports under landing/qualtrics/ and name your questions in
-- the places of Q1 (how likely are you to recommend, 0 to 10) and Q2 (why). Previews and tests are left out.
--
-- An export of labels has "10 - extremely likely" where an export of values has 10: the score is what stands first.

CREATE PIPE template_qualtrics FROM 'landing/qualtrics/' INTO x.feedback
FORMAT csv OPTIONS (skip_after_header '2') ON CALL AS
SELECT
    "ResponseId" AS feedback_id,
    'qualtrics' AS source_system,
    'survey' AS kind,
    lower("DistributionChannel") AS channel,
    'relationship' AS touchpoint,
    CASE
        WHEN "ExternalReference" <> '' THEN 'member_no'
        WHEN "RecipientEmail" <> '' THEN 'email'
    END AS key_type,
    coalesce(nullif("ExternalReference", ''), nullif("RecipientEmail", '')) AS key_value,
    'nps' AS metric,
    nullif(regexp_replace("Q1", '[^0-9].*$', ''), '') AS score,
    0 AS scale_min,
    10 AS scale_max,
    nullif("Q2", '') AS comment,
    lower(left("UserLanguage", 2)) AS language,
    "RecordedDate" AS occurred_at,
    json_build_object('group', "Q1_NPS_GROUP", 'finished', "Finished", 'seconds', "Duration (in seconds)") AS attributes
FROM source
WHERE lower("Status") NOT IN ('survey preview', 'survey test', 'spam', '1', '2', '8');
