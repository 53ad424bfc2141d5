{{ config(materialized='table') }}
select r.region, count(*) as lines, sum(o.amount) as amount, max(o.ordered_at) as last_ordered_at
from {{ source('shop', 'orders') }} o
join {{ source('shop', 'customers') }} c on c.customer_id = o.customer_id
join {{ ref('regions') }} r on r.country = c.country
group by r.region
