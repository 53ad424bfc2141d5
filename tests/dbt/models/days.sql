{{ config(materialized='incremental', unique_key='day') }}
select ordered_at::date as day, count(*) as lines, sum(amount) as amount
from {{ source('shop', 'orders') }}
where ordered_at is not null
{% if is_incremental() %} and ordered_at >= (select max(day) from {{ this }}) {% endif %}
group by 1
