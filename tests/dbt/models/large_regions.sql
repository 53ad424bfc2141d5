select region, amount, round(amount / nullif(lines, 0), 2) as per_line from {{ ref('sales_by_region') }} where lines > 1
