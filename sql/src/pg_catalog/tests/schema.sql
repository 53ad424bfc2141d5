-- The schema of the tests, for PostgreSQL 15: `initdb -U voxhouse --locale=C.UTF-8 -E UTF8`, database voxhouse,
-- no other database and no extension. psql -E shows the queries of `psql.txt`, psql -At the rows of both files.
CREATE SCHEMA x;
CREATE SCHEMA o;
COMMENT ON SCHEMA x IS 'what customers say';
CREATE TABLE public.notes (id bigint NOT NULL, body text, PRIMARY KEY (id));
CREATE TABLE x.feedback (
    feedback_id text NOT NULL,
    source_system text NOT NULL,
    kind varchar(20) DEFAULT 'survey',
    score smallint,
    weight double precision,
    amount numeric(18,2),
    tags text[],
    occurred_at timestamptz NOT NULL,
    attributes json,
    member uuid,
    day date,
    ok boolean,
    CONSTRAINT feedback_pkey PRIMARY KEY (source_system, feedback_id),
    CONSTRAINT feedback_member_key UNIQUE (member),
    CONSTRAINT feedback_score_check CHECK (score >= 0)
);
COMMENT ON TABLE x.feedback IS 'one row a verbatim';
COMMENT ON COLUMN x.feedback.score IS 'as given';
CREATE VIEW x.scores AS SELECT feedback_id, score FROM x.feedback;
CREATE MATERIALIZED VIEW x.daily AS SELECT day, count(*) AS n FROM x.feedback GROUP BY day;
CREATE VIEW public.recent AS SELECT id FROM notes;
CREATE SCHEMA system;
CREATE VIEW system.functions AS SELECT 'a'::text AS name, 1::numeric(20,0) AS rows;
COMMENT ON VIEW system.functions IS 'what can be called';
CREATE FUNCTION public.tokenize(body text, mode text) RETURNS text[]
    LANGUAGE internal IMMUTABLE PARALLEL SAFE AS 'upper';
COMMENT ON FUNCTION public.tokenize(text, text) IS 'words of a text';
CREATE AGGREGATE public.nps(score double precision) (sfunc = float8pl, stype = float8);
ALTER SCHEMA public OWNER TO voxhouse;
COMMENT ON SCHEMA public IS NULL;
UPDATE pg_namespace SET nspacl = NULL WHERE nspname = 'public';
CREATE ROLE reader LOGIN;
ALTER ROLE voxhouse NOCREATEDB NOREPLICATION;
COMMENT ON DATABASE voxhouse IS 'customer experience warehouse';
