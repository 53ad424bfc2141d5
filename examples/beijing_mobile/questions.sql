-- Questions to customers of a mobile network about voice calls, with the answers for the 5,433 of them in the file.
-- check.py computes the same numbers with numpy and statsmodels.

-- How satisfied are they?
--   8.68 of 10 on average; 72.2 percent (71.0 to 73.3) give 9 or 10
SELECT
    count(*) AS customers,
    round(avg(CAST(overall AS double precision)), 4) AS mean_score,
    round(top_box(overall, 2, 10), 4) AS percent_9_or_10,
    round(top_box_low(overall, 2, 10), 4) AS low,
    round(top_box_high(overall, 2, 10), 4) AS high
FROM mobile.voice;

-- Which part of the experience does the overall score hang on?
--   on all three alike: clarity 0.30, coverage 0.29, stability 0.27 of the variance
SELECT driver, round(importance, 6) AS importance
FROM drivers('mobile.voice', 'overall', ARRAY['coverage', 'clarity', 'stability'], bootstrap => 0);

-- What is it worth not to meet a problem?
--   1.8 points: 9.65 without, 7.80 with one
SELECT met_problem, round(avg(CAST(overall AS double precision)), 4) AS mean_score, count(*) AS n
FROM mobile.voice
GROUP BY met_problem
ORDER BY met_problem;

-- Which of the problems matter most?
--   no signal, and a signal with which no call can be made: half of what the problems account for
SELECT driver, round(importance, 6) AS importance
FROM drivers('mobile.voice', 'overall', ARRAY['no_signal', 'cannot_dial', 'cut_off', 'noise', 'crossed_lines', 'one_way'],
    method => 'shapley', bootstrap => 0);

-- How many points does each cost, everything else the same?
--   not being able to dial 0.98, no signal 0.95; what the network counts and complaints on price add nothing that is certain
SELECT term, round(estimate, 6) AS points, round(std_error, 6) AS std_error
FROM linear_regression('mobile.voice', 'overall', ARRAY['no_signal', 'cannot_dial', 'cut_off', 'noise', 'crossed_lines',
    'one_way', 'failed_calls', 'complained'], errors => 'hc3');
