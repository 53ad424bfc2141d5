"""A small dbt project: seed, table, view, incremental models, snapshot, tests, docs. DBT names the program."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from recorder import recorder

HOST = dict(part.split("=", 1) for part in os.environ["RECORD_DSN"].split())

program = os.environ.get("DBT", "dbt")
installed = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
record = recorder("dbt-postgres " + installed.split("postgres:")[1].split()[0])
files = {
    "dbt_project.yml": "name: shop\nversion: '1.0'\nprofile: shop\nflags: {send_anonymous_usage_stats: false}\n",
    "profiles.yml": f"shop:\n  target: dev\n  outputs:\n    dev: {{type: postgres, host: {HOST['host']}, port: {HOST['port']}, user: voxhouse, password: voxhouse, dbname: voxhouse, schema: dbt, threads: 1}}\n",
    "seeds/regions.csv": "country,region\nCN,Asia\nFR,Europe\n",
    "models/by_region.sql": "{{ config(materialized='table', indexes=[{'columns': ['region']}]) }}\nselect region, count(*) as n from {{ source('shop', 'customers') }} c join {{ ref('regions') }} r on r.country = c.country group by region",
    "models/big_regions.sql": "select * from {{ ref('by_region') }} where n > 0",
    "models/days.sql": "{{ config(materialized='incremental', unique_key='day') }}\nselect ordered_at::date as day, count(*) as n from {{ source('shop', 'orders') }} {% if is_incremental() %} where ordered_at > (select max(day) from {{ this }}) {% endif %} group by 1",
    "models/lines.sql": "{{ config(materialized='incremental', incremental_strategy='append') }}\nselect order_id, line, amount from {{ source('shop', 'orders') }}",
    "models/merged.sql": "{{ config(materialized='incremental', incremental_strategy='merge', unique_key='customer_id') }}\nselect customer_id, name from {{ source('shop', 'customers') }}",
    "models/kept.sql": "{{ config(materialized='materialized_view') }}\nselect category, sum(amount) as amount from {{ source('shop', 'orders') }} group by 1",
    "models/schema.yml": "sources:\n  - name: shop\n    schema: public\n    tables: [{name: customers}, {name: orders}]\nmodels:\n  - name: by_region\n    description: customers of each region\n    config: {persist_docs: {relation: true, columns: true}}\n    columns:\n      - name: region\n        description: the region\n        data_tests: [unique, not_null, {accepted_values: {values: [Asia, Europe]}}, {relationships: {to: ref('regions'), field: region}}]\n",
    "snapshots/who.sql": "{% snapshot who %}{{ config(target_schema='dbt', unique_key='customer_id', strategy='check', check_cols=['name']) }}select customer_id, name from {{ source('shop', 'customers') }}{% endsnapshot %}",
}
with tempfile.TemporaryDirectory() as folder:
    for name, text in files.items():
        (Path(folder) / name).parent.mkdir(exist_ok=True)
        (Path(folder) / name).write_text(text)
    for command in ("debug", "seed", "run", "snapshot", "run", "snapshot", "seed --full-refresh", "test", "source freshness", "docs generate", "list", "run --full-refresh --select days"):
        record.step("dbt " + command)
        done = subprocess.run([program, *command.split(), "--profiles-dir", folder, "--project-dir", folder], capture_output=True, text=True)
        if done.returncode:
            print(command, done.stdout[-600:], done.stderr[-300:], file=sys.stderr)
record.connection.execute("DROP SCHEMA dbt CASCADE")
print(record.client, record.finish(), file=sys.stderr)
