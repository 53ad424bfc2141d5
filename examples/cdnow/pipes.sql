CREATE PIPE cdnow_orders FROM 'landing/cdnow/' INTO cdnow.orders FORMAT csv AS
SELECT customer_id, to_date(date, 'YYYYMMDD') AS ordered_on, number_of_cds AS discs, dollar_value AS amount
FROM source;
