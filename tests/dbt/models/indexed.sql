{{ config(materialized='table', indexes=[{'columns': ['customer_id'], 'unique': true}, {'columns': ['name']}]) }}
select customer_id, name from {{ source('shop', 'customers') }}
