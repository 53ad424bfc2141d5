{% snapshot who %}
{{ config(target_schema='dbt', unique_key='customer_id', strategy='check', check_cols=['name', 'score'], hard_deletes='invalidate') }}
select customer_id, name, score from {{ source('shop', 'customers') }}
{% endsnapshot %}
