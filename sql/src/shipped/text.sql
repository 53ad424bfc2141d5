-- What users teach the text functions, as tables: a commit counts from the next statement on, in every session.

CREATE TABLE IF NOT EXISTS text.dictionary (
    word   text NOT NULL,
    weight bigint,
    tag    text,
    CONSTRAINT dictionary_pkey PRIMARY KEY (word),
    CONSTRAINT dictionary_word CHECK (trim(word) <> ''),
    CONSTRAINT dictionary_weight CHECK (weight IS NULL OR weight > 0)
);
COMMENT ON TABLE text.dictionary IS 'Words that the segmenter keeps whole, beside those of its own dictionary';
COMMENT ON COLUMN text.dictionary.word IS 'The word';
COMMENT ON COLUMN text.dictionary.weight IS 'How often it occurs in sixty million words. NULL: as often as it takes to keep it whole';
COMMENT ON COLUMN text.dictionary.tag IS 'Part of speech in the letters of jieba, for example n, v, nr';

CREATE TABLE IF NOT EXISTS text.aspects (
    word   text NOT NULL,
    aspect text NOT NULL,
    CONSTRAINT aspects_pkey PRIMARY KEY (word),
    CONSTRAINT aspects_named CHECK (trim(word) <> '' AND trim(aspect) <> '')
);
COMMENT ON TABLE text.aspects IS 'Under which aspect opinions() counts a word, beside and before the heads that it comes with';
COMMENT ON COLUMN text.aspects.word IS 'The aspect as customers write it';
COMMENT ON COLUMN text.aspects.aspect IS 'The aspect that it is counted under';

CREATE TABLE IF NOT EXISTS text.taxonomy (
    taxonomy text NOT NULL,
    version  integer NOT NULL DEFAULT 1,
    tag      text NOT NULL,
    parent   text,
    include  text,
    exclude  text,
    CONSTRAINT taxonomy_pkey PRIMARY KEY (taxonomy, version, tag),
    CONSTRAINT taxonomy_version CHECK (version > 0),
    CONSTRAINT taxonomy_named CHECK (trim(tag) <> '' AND trim(taxonomy) <> '' AND strpos(taxonomy, '@') = 0),
    CONSTRAINT taxonomy_include CHECK (coalesce(check_tag_query(tag, include), true)),
    CONSTRAINT taxonomy_exclude CHECK (coalesce(check_tag_query(tag, exclude), true))
);
COMMENT ON TABLE text.taxonomy IS 'Taxonomies that tags() applies: one row a tag. The highest version of a name is in force, older ones stay readable as name@version';
COMMENT ON COLUMN text.taxonomy.taxonomy IS 'Its name. That of a shipped taxonomy stands in its place';
COMMENT ON COLUMN text.taxonomy.version IS 'A change is a new version: all rows again, under the next number';
COMMENT ON COLUMN text.taxonomy.tag IS 'The tag';
COMMENT ON COLUMN text.taxonomy.parent IS 'The tag above it. NULL at the top';
COMMENT ON COLUMN text.taxonomy.include IS 'The query that a text must fit: terms, AND, OR, NOT, NEAR/n, brackets, quotes. NULL: the row only names a tag';
COMMENT ON COLUMN text.taxonomy.exclude IS 'The query that it must not fit. NULL: none';

CREATE TABLE IF NOT EXISTS text.corrections (
    feedback_id   text NOT NULL,
    source_system text NOT NULL,
    taxonomy      text NOT NULL,
    tag           text NOT NULL,
    action        text NOT NULL DEFAULT 'add',
    parent        text,
    corrected_by  text,
    corrected_at  timestamptz,
    note          text,
    CONSTRAINT corrections_pkey PRIMARY KEY (source_system, feedback_id, taxonomy, tag),
    CONSTRAINT corrections_action CHECK (action IN ('add', 'remove'))
);
COMMENT ON TABLE text.corrections IS 'Tags that people set or took away. They win over what tags() finds, however often the feedback is tagged anew';
COMMENT ON COLUMN text.corrections.feedback_id IS 'The feedback';
COMMENT ON COLUMN text.corrections.source_system IS 'The system of the feedback';
COMMENT ON COLUMN text.corrections.taxonomy IS 'The taxonomy of the tag';
COMMENT ON COLUMN text.corrections.tag IS 'The tag';
COMMENT ON COLUMN text.corrections.action IS 'add: the feedback has the tag. remove: it has not';
COMMENT ON COLUMN text.corrections.parent IS 'The tag above it, for action add';
COMMENT ON COLUMN text.corrections.corrected_by IS 'Who said so';
COMMENT ON COLUMN text.corrections.corrected_at IS 'When';
COMMENT ON COLUMN text.corrections.note IS 'Why';

CREATE TABLE IF NOT EXISTS text.examples (
    label text NOT NULL,
    text  text NOT NULL,
    CONSTRAINT examples_label CHECK (trim(label) <> '')
);
COMMENT ON TABLE text.examples IS 'Texts and their labels, from which classify() learns';
COMMENT ON COLUMN text.examples.label IS 'The label';
COMMENT ON COLUMN text.examples.text IS 'A text that has it';

CREATE TABLE IF NOT EXISTS text.models (
    name            text NOT NULL,
    version         integer NOT NULL,
    weights         bytea,
    relation        text,
    n_obs           bigint,
    accuracy_before double precision,
    accuracy_after  double precision,
    created_at      timestamptz NOT NULL,
    created_by      text,
    in_force_at     timestamptz NOT NULL,
    CONSTRAINT models_pkey PRIMARY KEY (name, version)
);
COMMENT ON TABLE text.models IS 'What CALL text.train_sentiment has learnt. The row with the latest in_force_at counts; CALL text.revert_sentiment changes that';
COMMENT ON COLUMN text.models.name IS 'sentiment';
COMMENT ON COLUMN text.models.version IS 'From 1; 0 is the shipped model';
COMMENT ON COLUMN text.models.weights IS 'Corrections of the shipped model. NULL: none';
COMMENT ON COLUMN text.models.relation IS 'Where the labels came from';
COMMENT ON COLUMN text.models.n_obs IS 'Number of labelled texts';
COMMENT ON COLUMN text.models.accuracy_before IS 'Share of them whose label the shipped model gives';
COMMENT ON COLUMN text.models.accuracy_after IS 'The same of models that were learnt without the text, in five parts. NULL when there are too few';
COMMENT ON COLUMN text.models.created_at IS 'When it was learnt';
COMMENT ON COLUMN text.models.created_by IS 'By whom';
COMMENT ON COLUMN text.models.in_force_at IS 'When it was last put in force';

CREATE TABLE IF NOT EXISTS text.kept_opinions (
    source_file        text NOT NULL,
    stamp              text NOT NULL,
    feedback_id        text NOT NULL,
    source_system      text NOT NULL,
    feedback_kind      text,
    channel            text,
    touchpoint         text,
    occurred_at        timestamptz,
    comment_hash       text,
    aspect             text,
    aspect_text        text,
    opinion            text,
    polarity           integer,
    intensity          double precision,
    kind               text,
    start_at           integer,
    end_at             integer,
    evidence           text,
    rule               text,
    dictionary_version text,
    model_version      text
) PARTITION BY (source_file, stamp);
COMMENT ON TABLE text.kept_opinions IS 'The opinions behind x.opinions, a row for each and one for feedback without any; filled by REFRESH MATERIALIZED VIEW x.opinions';

CREATE TABLE IF NOT EXISTS text.kept_tags (
    source_file      text NOT NULL,
    stamp            text NOT NULL,
    feedback_id      text NOT NULL,
    source_system    text NOT NULL,
    feedback_kind    text,
    channel          text,
    touchpoint       text,
    occurred_at      timestamptz,
    comment_hash     text,
    taxonomy         text,
    taxonomy_version text,
    tag              text,
    parent           text,
    start_at         integer,
    end_at           integer,
    words            text,
    rule             text
) PARTITION BY (source_file, stamp);
COMMENT ON TABLE text.kept_tags IS 'The tags behind x.tags, a row for each and one for feedback without any; filled by REFRESH MATERIALIZED VIEW x.tags';

-- The planner gives each half its part: the first what is kept of files that are still there, the second the files of
-- x.feedback of which nothing is kept.
CREATE OR REPLACE VIEW x.opinions AS
SELECT feedback_id, source_system, feedback_kind, channel, touchpoint, occurred_at,
    aspect, aspect_text, opinion, polarity, intensity, kind, start_at, end_at, evidence, rule,
    dictionary_version, model_version
FROM text.kept_opinions
WHERE kind IS NOT NULL
UNION ALL
SELECT f.feedback_id, f.source_system, f.kind AS feedback_kind, f.channel, f.touchpoint, f.occurred_at,
    o.aspect, o.aspect_text, o.opinion, o.polarity, o.intensity, o.kind, o.start_at, o.end_at, o.evidence, o.rule,
    dictionary_version() AS dictionary_version, opinions_version() AS model_version
FROM x.feedback AS f, opinions(f.comment) AS o;

COMMENT ON VIEW x.opinions IS 'What verbatims say of what: one row an opinion. Kept for feedback that was read, worked out for the rest';
COMMENT ON COLUMN x.opinions.feedback_id IS 'The feedback it stands in';
COMMENT ON COLUMN x.opinions.source_system IS 'The system of the feedback';
COMMENT ON COLUMN x.opinions.feedback_kind IS 'survey, review, complaint, chat, social or call';
COMMENT ON COLUMN x.opinions.channel IS 'Where the feedback was given';
COMMENT ON COLUMN x.opinions.touchpoint IS 'What the feedback was asked about';
COMMENT ON COLUMN x.opinions.occurred_at IS 'When the feedback was given';
COMMENT ON COLUMN x.opinions.aspect IS 'What it is about, in its normal form. NULL when nothing tells';
COMMENT ON COLUMN x.opinions.aspect_text IS 'The aspect as written. NULL when it is only implied';
COMMENT ON COLUMN x.opinions.opinion IS 'The words that judge or ask';
COMMENT ON COLUMN x.opinions.polarity IS '1 praise, -1 criticism, 0 neither';
COMMENT ON COLUMN x.opinions.intensity IS 'How strongly, 0 to 1';
COMMENT ON COLUMN x.opinions.kind IS 'praise, complaint, request, question or remark';
COMMENT ON COLUMN x.opinions.start_at IS 'First character of aspect and opinion in the comment, from 0';
COMMENT ON COLUMN x.opinions.end_at IS 'Behind their last character';
COMMENT ON COLUMN x.opinions.evidence IS 'The part of the comment that holds them';
COMMENT ON COLUMN x.opinions.rule IS 'The rule or model version that found it';
COMMENT ON COLUMN x.opinions.dictionary_version IS 'The words that the comment was segmented by, see dictionary_version()';
COMMENT ON COLUMN x.opinions.model_version IS 'The model and the heads of aspects, see opinions_version()';

CREATE OR REPLACE VIEW text.automatic_tags AS
SELECT feedback_id, source_system, feedback_kind, channel, touchpoint, occurred_at,
    taxonomy, taxonomy_version, tag, parent, start_at, end_at, words, rule
FROM text.kept_tags
WHERE tag IS NOT NULL
UNION ALL
SELECT f.feedback_id, f.source_system, f.kind AS feedback_kind, f.channel, f.touchpoint, f.occurred_at,
    t.taxonomy, t.taxonomy_version, t.tag, t.parent, t.start_at, t.end_at, t.words, t.rule
FROM x.feedback AS f, tags(f.comment) AS t;

COMMENT ON VIEW text.automatic_tags IS 'The tags that the taxonomies of text.taxonomy find, before corrections';

CREATE OR REPLACE VIEW x.tags AS
SELECT t.feedback_id, t.source_system, t.feedback_kind, t.channel, t.touchpoint, t.occurred_at,
    t.taxonomy, t.taxonomy_version, t.tag, t.parent, t.start_at, t.end_at, t.words, t.rule
FROM text.automatic_tags AS t
WHERE NOT EXISTS (
    SELECT 1 FROM text.corrections AS c
    WHERE c.source_system = t.source_system AND c.feedback_id = t.feedback_id
        AND c.taxonomy = t.taxonomy AND c.tag = t.tag)
UNION ALL
SELECT f.feedback_id, f.source_system, f.kind AS feedback_kind, f.channel, f.touchpoint, f.occurred_at,
    c.taxonomy, 'manual' AS taxonomy_version, c.tag, c.parent,
    NULL::integer AS start_at, NULL::integer AS end_at, NULL::text AS words, 'manual' AS rule
FROM text.corrections AS c
JOIN x.feedback AS f ON f.source_system = c.source_system AND f.feedback_id = c.feedback_id
WHERE c.action = 'add';

COMMENT ON VIEW x.tags IS 'What verbatims are about: one row a place that a tag rests on. Kept for feedback that was read, worked out for the rest; text.corrections win';
COMMENT ON COLUMN x.tags.feedback_id IS 'The feedback that has the tag';
COMMENT ON COLUMN x.tags.source_system IS 'The system of the feedback';
COMMENT ON COLUMN x.tags.feedback_kind IS 'survey, review, complaint, chat, social or call';
COMMENT ON COLUMN x.tags.channel IS 'Where the feedback was given';
COMMENT ON COLUMN x.tags.touchpoint IS 'What the feedback was asked about';
COMMENT ON COLUMN x.tags.occurred_at IS 'When the feedback was given';
COMMENT ON COLUMN x.tags.taxonomy IS 'The taxonomy of the tag';
COMMENT ON COLUMN x.tags.taxonomy_version IS 'Its version in text.taxonomy and a fingerprint of its rows, or manual';
COMMENT ON COLUMN x.tags.tag IS 'The tag';
COMMENT ON COLUMN x.tags.parent IS 'The tag above it. NULL at the top';
COMMENT ON COLUMN x.tags.start_at IS 'First character of the words in the comment, from 0. NULL when set by hand';
COMMENT ON COLUMN x.tags.end_at IS 'Behind their last character';
COMMENT ON COLUMN x.tags.words IS 'The words that the tag rests on';
COMMENT ON COLUMN x.tags.rule IS 'The row of the taxonomy that matched, or manual';
