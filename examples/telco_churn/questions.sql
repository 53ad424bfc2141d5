-- Questions to the customers of a telephone company, with the answers for the sample of 4,288 of them that the README names.
-- check.py computes the same numbers with statsmodels and lifelines.

-- How many leave?
--   1131 of 4288
SELECT count(*) AS customers, count(*) FILTER (WHERE churned) AS left_us FROM telco.customers;

-- What raises the odds of leaving, everything else the same?
--   a two-year contract divides them by 3.4, technical support by 1.8; fibre multiplies them by 1.8, each month of tenure by 0.96
SELECT term, round(estimate, 6), round(std_error, 6), round(odds_ratio, 4), n_obs
FROM logistic_regression('telco.customers', 'churned', ARRAY[
    'tenure_months', 'monthly_charges', 'contract = ''Two year''', 'tech_support = ''Yes''', 'internet_service = ''Fiber optic''']);

-- How much does each of them account for?
--   tenure 39 percent of what the model explains, the contract 29, fibre 14, the price 13, support 5
SELECT driver, round(100 * share, 1) AS percent, direction
FROM drivers('telco.customers', 'churned', ARRAY[
    'tenure_months', 'monthly_charges', 'contract = ''Two year''', 'tech_support = ''Yes''', 'internet_service = ''Fiber optic'''],
    method => 'logistic');

-- Who leaves sooner?
--   with a two-year contract 0.05 times as fast, with support 0.45 times
SELECT term, round(estimate, 6), round(std_error, 6), round(hazard_ratio, 4), events
FROM cox_regression('telco.customers', 'tenure_months', 'churned', ARRAY[
    'monthly_charges', 'contract = ''Two year''', 'tech_support = ''Yes''']);

-- When have half of them left?
--   month to month: after 36 months; the others never in six years
SELECT DISTINCT group_name, median
FROM kaplan_meier('telco.customers', 'tenure_months', 'churned', group_by => 'contract')
ORDER BY group_name;

-- What leaves with them, a month?
SELECT round(sum(monthly_charges), 2) AS monthly_charges_lost FROM telco.customers WHERE churned;

-- A model of who leaves, kept in roi.models. How well does it tell them apart?
--   in 82 percent of pairs of one who left and one who stayed
CALL roi.train('churn', 'logistic', 'telco.customers', 'churned', ARRAY[
    'tenure_months', 'monthly_charges', 'contract = ''Two year''', 'tech_support = ''Yes''', 'internet_service = ''Fiber optic''']);

-- What is saving churn worth? Of customers who leave with a probability above one half: what they pay a month, what of that is
-- likely to go, and what a programme keeps, a year, that holds one in ten of those who would go
--   808 customers pay 68,784 a month, of which 44,185 are likely to go; one in ten of that is 53,022 a year
SELECT
    count(*) AS customers,
    round(sum(monthly_charges), 2) AS monthly_charges,
    round(sum(p * CAST(monthly_charges AS double precision)), 2) AS likely_to_go,
    round(0.1 * 12 * sum(p * CAST(monthly_charges AS double precision)), 2) AS kept_a_year
FROM (
    SELECT
        monthly_charges,
        predict('churn', tenure_months, monthly_charges, contract = 'Two year', tech_support = 'Yes',
            internet_service = 'Fiber optic') AS p
    FROM telco.customers
) AS scored
WHERE p > 0.5;
