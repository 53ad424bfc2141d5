-- A survey tool's export as offices on the continent of Europe make it: semicolons, decimal commas, days before
-- months, a line of title above the header, three ways to say "no answer". Put files under landing/survey/.
--
-- For an Excel workbook write FORMAT xlsx OPTIONS (sheet 'Answers', skip_rows '1', null_markers 'k. A., n/a, -')
-- and leave the options of numbers and dates out: a workbook knows them. For a file of Chinese Windows add
-- encoding 'gb18030'.

CREATE PIPE template_survey FROM 'landing/survey/' INTO x.feedback
FORMAT csv OPTIONS (
    delimiter ';',
    skip_rows '1',
    null_markers 'k. A., n/a, -',
    decimal ',',
    thousands '.',
    numeric_columns 'Zufriedenheit, Gewicht',
    date_format 'DD.MM.YYYY HH24:MI | DD.MM.YY',
    date_columns 'Datum'
) ON CALL AS
SELECT
    "Nr" AS feedback_id,
    'survey' AS source_system,
    'survey' AS kind,
    "Kanal" AS channel,
    "Anlass" AS touchpoint,
    CASE WHEN "Kundennummer" IS NOT NULL THEN 'member_no' END AS key_type,
    "Kundennummer" AS key_value,
    'csat' AS metric,
    "Zufriedenheit" AS score,
    1 AS scale_min,
    5 AS scale_max,
    "Bemerkung" AS comment,
    'de' AS language,
    "Gewicht" AS weight,
    "Datum" AS occurred_at
FROM source;
