{{ config(materialized='table') }}
select order_id, line, category, quantity, amount, discount, ordered_at, shipped_at, due, tags, note, tracking,
    cast(category as varchar(20)) as short, amount > 100 as large, ordered_at::date as day, 'fixed' as word, 7 as seven
from {{ source('shop', 'orders') }}
