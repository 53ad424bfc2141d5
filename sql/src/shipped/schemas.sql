-- The schemas every warehouse has.

CREATE SCHEMA IF NOT EXISTS public;
COMMENT ON SCHEMA public IS 'standard public schema';

CREATE SCHEMA IF NOT EXISTS x;
COMMENT ON SCHEMA x IS 'Experience: what customers say (surveys, reviews, complaints, chats, posts) and how they behave';

CREATE SCHEMA IF NOT EXISTS o;
COMMENT ON SCHEMA o IS 'Operations: what customers do and what was done for them (records, orders, cases, subscriptions, costs)';

CREATE SCHEMA IF NOT EXISTS id;
COMMENT ON SCHEMA id IS 'Identity: which records belong to which customer, and why';

CREATE SCHEMA IF NOT EXISTS c360;
COMMENT ON SCHEMA c360 IS 'Customer 360: one row a person, and everything that happened to each in time order';

CREATE SCHEMA IF NOT EXISTS journey;
COMMENT ON SCHEMA journey IS 'Journeys: steps, funnels, cohorts';

CREATE SCHEMA IF NOT EXISTS roi;
COMMENT ON SCHEMA roi IS 'Return: what a score is worth in later purchases, and what programmes return';

CREATE SCHEMA IF NOT EXISTS text;
COMMENT ON SCHEMA text IS 'Text: dictionaries, lexicons and tag definitions';

CREATE SCHEMA IF NOT EXISTS system;
COMMENT ON SCHEMA system IS 'The warehouse about itself: loads, rejects, pipes, queries, sessions, functions';
