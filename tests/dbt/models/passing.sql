{{ config(materialized='ephemeral') }}
select customer_id, count(*) as lines from {{ source('shop', 'orders') }} group by customer_id
