select order_id from {{ ref('typed') }} where amount < 0
