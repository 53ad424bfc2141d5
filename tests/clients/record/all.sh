#!/usr/bin/env bash
# Records every client anew: RECORD_DSN and RECORD_LOG as in ../README.md, the packages of Python in the path, those of
# node in NODE_PATH, the jar in PGJDBC, dbt in DBT, an unpacked wheel of pgAdmin in PGADMIN.
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
python3 psql.py
for client in psycopg2 psycopg3 asyncpg sqlalchemy pandas pyodbc adbc connectorx polars pg8000 pgcli; do
    python3 python_clients.py "$client"
done
python3 postgres_fdw.py
python3 dbt_project.py
python3 run_program.py "pgjdbc $(basename "$PGJDBC" .jar | cut -d- -f2)" java -cp "$PGJDBC" Jdbc.java 127.0.0.1 "$(sed 's/.*port=\([0-9]*\).*/\1/' <<< "$RECORD_DSN")"
version() { sed -n 's/^ *"version": "\(.*\)",$/\1/p' "$NODE_PATH/$1/package.json"; }
for client in pg:node-postgres postgres:postgres.js knex:knex typeorm:typeorm sequelize:sequelize; do
    python3 run_program.py "${client#*:} $(version "${client%:*}")" node node.js "${client%:*}"
done
python3 pgadmin.py
