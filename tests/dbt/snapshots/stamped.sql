{% snapshot stamped %}
{{ config(target_schema='dbt', unique_key='customer_id', strategy='timestamp', updated_at='created_at') }}
select customer_id, name, created_at from {{ source('shop', 'customers') }}
{% endsnapshot %}
