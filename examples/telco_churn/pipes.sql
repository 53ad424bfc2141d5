CREATE PIPE telco_customers FROM 'landing/telco/' INTO telco.customers FORMAT csv AS
SELECT
    "customerID" AS customer_id,
    tenure AS tenure_months,
    "Contract" AS contract,
    "InternetService" AS internet_service,
    "TechSupport" AS tech_support,
    "MonthlyCharges" AS monthly_charges,
    nullif(trim("TotalCharges"), '') AS total_charges,
    "Churn" = 'Yes' AS churned
FROM source;
