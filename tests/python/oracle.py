"""What Voxhouse and PostgreSQL 15 send for the same values, byte for byte.

python3 oracle.py PORT POSTGRES_PORT POSTGRES_DATABASE, the password of the role voxhouse on both in PGPASSWORD. Results are taken
from libpq as they came over the wire: type, length, modifier, table and column of RowDescription, and the bytes of
the values, in text and in binary. `KNOWN` in the modules beside this one holds what still differs, with the reason;
an entry that no longer differs is a failure too.
"""

import sys

import oracle_parameters
import oracle_tables
import oracle_values
from oracle_server import Comparison, Server


def main():
    port, postgres_port, postgres_database = sys.argv[1:]
    ours, postgres = Server("voxhouse", port, "voxhouse"), Server("postgres", postgres_port, postgres_database)
    failures = 0
    for module in (oracle_values, oracle_tables, oracle_parameters):
        comparison = Comparison(ours, postgres, module.KNOWN)
        module.compare(comparison)
        failures += comparison.report(module.__name__)
    if failures:
        sys.exit(f"{failures} differences")
    print("all checks passed")


if __name__ == "__main__":
    main()
