{{ config(materialized='incremental', incremental_strategy='append') }}
select order_id, line, amount from {{ source('shop', 'orders') }}
{% if is_incremental() %} where order_id > (select max(order_id) from {{ this }}) {% endif %}
