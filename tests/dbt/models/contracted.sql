{{ config(materialized='table', contract={'enforced': true}) }}
select customer_id, name, score from {{ source('shop', 'customers') }}
