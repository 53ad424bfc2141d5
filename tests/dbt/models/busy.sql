{{ config(post_hook="comment on view {{ this }} is 'by a hook'") }}
with joined as (
    select c.name, p.lines, row_number() over (order by p.lines desc, c.customer_id) as place
    from {{ ref('passing') }} p join {{ source('shop', 'customers') }} c on c.customer_id = p.customer_id
)
select name, lines, place, {{ dbt.dateadd('day', 1, "date '2026-01-31'") }} as later,
    {{ dbt.datediff("date '2026-01-01'", "date '2026-03-01'", 'month') }} as months,
    {{ dbt.concat(['name', "'!'"]) }} as loud, {{ dbt.date_trunc('month', "date '2026-03-15'") }} as month
from joined
