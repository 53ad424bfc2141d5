-- What the parameters of the text format do: DateStyle, IntervalStyle, bytea_output, extra_float_digits, TimeZone.
\pset format unaligned
\pset tuples_only on
\pset null NULL
\set QUIET on
-- Without the place and words of an error.
\set VERBOSITY sqlstate
\set times 'select d, ts, tz, array[d], array[ts], d::text, ts::text, tz::text, ''<'' || tz || ''>'', to_json(ts), to_json(d) from (values (date ''2026-03-05'', timestamp ''2026-03-05 14:30:07.25'', timestamptz ''2026-03-05 14:30:07.25+00''), (date ''0044-03-15 BC'', timestamp ''0044-03-15 00:00 BC'', timestamptz ''1900-07-01 00:00:00+00''), (date ''12026-12-31'', timestamp ''1969-12-31 23:59:59.999999'', timestamptz ''2026-07-05 00:00+00'')) t(d, ts, tz);'
\set ambiguous 'select ''01/02/2026''::date, ''01-02-03''::date, ''1.2.2026 3:04''::timestamp, timestamptz ''03/04/05 06:07'', ''5 Mar 26''::date, ''2026-03-05''::date, ''Mar 5 2026''::timestamp;'
\set spans 'select i, array[i], i::text, to_json(i), i * 2 from (values (interval ''1 year 2 mons 3 days 04:05:06.789''), (interval ''-1 year -2 mons +3 days -04:05:06''), (interval ''0''), (interval ''-3 days''), (interval ''25:00''), (interval ''-00:00:01.5''), (interval ''1 mon''), (interval ''-1 year''), (interval ''1 sec''), (interval ''59.5 secs''), (interval ''1 day -00:00:01''), (interval ''2 days 03:00'')) t(i);'
\set bytes 'select b, array[b] from (values (''\\x00ff41425c0a7e7f''::bytea), (''''::bytea), (''\\x5c5c''::bytea)) t(b);'
\set floats 'select f, f::real, array[f], f::text from (values (1.0::float8), (0.1), (0.3333333333333333), (-2.5e-7), (123456789012345678), (1e15), (1e16), (123456.75), (0.0001), (0.00001), (''NaN''), (''-Infinity''), (''-0''), (99999.95), (1e37)) t(f);'
\echo == iso
:times
:ambiguous
\echo == iso dmy
set datestyle to iso, dmy;
show datestyle;
:times
:ambiguous
\echo == iso ymd
set datestyle to ymd;
show datestyle;
:ambiguous
select '01-02-03'::date, '26/1/2'::date, '5 Mar 26'::date;
\echo == sql mdy
set datestyle to sql, mdy;
show datestyle;
:times
:ambiguous
\echo == sql dmy
set datestyle to 'SQL, European';
show datestyle;
:times
:ambiguous
\echo == postgres mdy
set datestyle to postgres, us;
show datestyle;
:times
:ambiguous
\echo == postgres dmy
set datestyle to postgres, dmy;
show datestyle;
:times
:ambiguous
\echo == postgres ymd
set datestyle to postgres, ymd;
show datestyle;
:times
:ambiguous
\echo == german
set datestyle to default;
set datestyle to german;
show datestyle;
:times
:ambiguous
set datestyle to german, mdy;
show datestyle;
:ambiguous
\echo == zones
set timezone to 'America/New_York';
set datestyle to sql, mdy;
:times
set datestyle to postgres;
:times
set timezone to 'Asia/Kolkata';
:times
set datestyle to german;
set timezone to 'America/Sao_Paulo';
:times
set datestyle to iso;
:times
set timezone to 'UTC';
\echo == copied
set datestyle to sql, dmy;
copy (select date '2026-03-05', timestamp '2026-03-05 14:30', interval '1 day', '\x00'::bytea, 1e20::float8) to stdout;
copy (select date '2026-03-05', timestamp '2026-03-05 14:30') to stdout (format csv, header);
create temp table dates (d date, t timestamp, z timestamptz);
copy dates from stdin;
05/03/2026	05/03/2026 2:30 PM	5 March 2026 14:30
20260305	2026-03-05T14:30Z	Thu Mar 05 14:30:00 2026 PST
\.
select * from dates order by 1, 2, 3;
insert into dates values (date '06/03/2026', timestamp 'Mar 6 2026 14:30', timestamptz '06.03.2026 00:00+02');
select * from dates where d = '06/03/2026' and t > '05/03/2026' and z < '7 Mar 2026' and d in ('06/03/2026');
prepare by_day(date) as select count(*) from dates where d = $1;
execute by_day('05/03/2026');
set datestyle to sql, mdy;
execute by_day('03/05/2026');
execute by_day('03/05/2026');
set datestyle to sql, dmy;
execute by_day('05/03/2026');
deallocate by_day;
set datestyle to iso, mdy;
\echo == refused dates
select '18/1/2026'::date;
select '2026-13-01'::date;
select '2026-02-30'::timestamp;
select '2026-03-05 25:00'::timestamp;
select '2026-03-05 14:30+99'::timestamptz;
select '2026-03-05 14:30 Mars/Olympus'::timestamptz;
select 'never'::date;
\echo == intervals
:spans
set intervalstyle to postgres_verbose;
show intervalstyle;
:spans
set intervalstyle to sql_standard;
:spans
select '1-2'::interval, '-1-2'::interval, '-1 2:03:04'::interval, '+1-2 -3 +4:05:06'::interval, '3 4:05:06'::interval;
set intervalstyle to iso_8601;
:spans
set intervalstyle to default;
select '-1 2:03:04'::interval, 'P1Y2M-3DT-4H5M6.5S'::interval, '@ 1 year -2 mons 3 days ago'::interval;
\echo == bytes
:bytes
set bytea_output to escape;
show bytea_output;
:bytes
reset bytea_output;
:bytes
\echo == floats
:floats
set extra_float_digits to 0;
:floats
set extra_float_digits to -3;
:floats
set extra_float_digits to -15;
:floats
set extra_float_digits to 3;
:floats
reset extra_float_digits;
\echo == refused settings
\set VERBOSITY default
set datestyle to nonsense;
set datestyle to iso, sql;
set datestyle to dmy, mdy;
set intervalstyle to nonsense;
set bytea_output to nonsense;
set extra_float_digits to 4;
set extra_float_digits to 'x';
select set_config('datestyle', 'sql, dmy', false), set_config('IntervalStyle', 'iso_8601', false);
select date '2026-03-05', interval '1 day';
select set_config('datestyle', 'sql, nonsense', false);
begin;
set local datestyle to german;
select date '2026-03-05';
commit;
select date '2026-03-05';
reset all;
select date '2026-03-05', interval '1 day';
