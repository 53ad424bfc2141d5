{{ config(materialized='materialized_view') }}
select category, sum(amount) as amount from {{ source('shop', 'orders') }} group by category
