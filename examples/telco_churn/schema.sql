CREATE SCHEMA IF NOT EXISTS telco;

CREATE TABLE IF NOT EXISTS telco.customers (
    customer_id text NOT NULL,
    tenure_months integer NOT NULL,
    contract text NOT NULL,
    internet_service text NOT NULL,
    tech_support text NOT NULL,
    monthly_charges numeric(10, 2) NOT NULL,
    total_charges numeric(10, 2),
    churned boolean NOT NULL,
    PRIMARY KEY (customer_id)
);

COMMENT ON TABLE telco.customers IS 'Customers of a telephone company, and whether they left';
