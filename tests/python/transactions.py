"""Transactions of a running Voxhouse with psycopg 3: python3 transactions.py PORT, the password in PGPASSWORD."""

import sys

try:
    import psycopg
    from psycopg import errors
    from psycopg.pq import TransactionStatus
except ImportError:
    sys.exit("psycopg 3 is missing: run ./test, or pip install 'psycopg[binary]' and set VOXHOUSE_PYTHON")


def connect(**options):
    return psycopg.connect(host="127.0.0.1", port=int(sys.argv[1]), user="voxhouse", dbname="voxhouse", **options)


def raises(error, work, *arguments):
    try:
        work(*arguments)
    except error as found:
        return found
    raise AssertionError(f"{error.__name__} was not raised")


def count(connection, table="t"):
    return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def default_flow(observer):
    """autocommit=False: psycopg sends BEGIN before the first statement."""
    with connect() as connection:
        connection.execute("INSERT INTO t VALUES (%s, %s)", (1, "a"))
        assert connection.info.transaction_status == TransactionStatus.INTRANS
        assert (count(connection), count(observer)) == (1, 0)
        connection.rollback()
        assert connection.info.transaction_status == TransactionStatus.IDLE
        assert count(connection) == 0
        connection.rollback()
        connection.execute("INSERT INTO t VALUES (%s, %s)", (1, "a"))
        connection.execute("UPDATE t SET name = %s WHERE id = %s", ("b", 1))
        connection.commit()
        assert observer.execute("SELECT * FROM t").fetchall() == [(1, "b")]
        raises(errors.DivisionByZero, connection.execute, "SELECT 1 / 0")
        assert connection.info.transaction_status == TransactionStatus.INERROR
        raises(errors.InFailedSqlTransaction, connection.execute, "SELECT 1")
        connection.rollback()
        connection.execute("INSERT INTO t VALUES (2, 'kept')")
    # Leaving the block commits.
    assert count(observer) == 2
    try:
        with connect() as connection:
            connection.execute("DELETE FROM t")
            raise RuntimeError
    except RuntimeError:
        pass
    assert count(observer) == 2


def nested(observer):
    with connect(autocommit=True) as connection:
        with connection.transaction():
            connection.execute("DELETE FROM t")
            with connection.transaction():
                connection.execute("INSERT INTO t VALUES (10, 'outer')")
                with connection.transaction(force_rollback=True):
                    connection.execute("INSERT INTO t VALUES (11, 'undone')")
                    assert count(connection) == 2
                try:
                    with connection.transaction("named"):
                        connection.execute("INSERT INTO t VALUES (12, 'undone')")
                        connection.execute("SELECT * FROM absent")
                except errors.UndefinedTable:
                    pass
                assert count(connection) == 1
            assert count(observer) == 2
        assert observer.execute("SELECT * FROM t").fetchall() == [(10, "outer")]
        try:
            with connection.transaction():
                connection.execute("INSERT INTO t VALUES (13, 'x')")
                raise psycopg.Rollback
        except psycopg.Rollback:
            pass
        assert count(observer) == 1


def pipelines(observer):
    with connect(autocommit=True) as connection:
        with connection.pipeline():
            for number in range(20, 25):
                connection.execute("INSERT INTO t VALUES (%s, %s)", (number, "piped"))
            found = connection.execute("SELECT count(*) FROM t WHERE name = 'piped'")
        assert found.fetchone() == (5,)
        assert count(observer) == 6
        # Up to Sync it is one transaction.
        def fails():
            with connection.pipeline():
                connection.execute("INSERT INTO t VALUES (30, 'lost')")
                connection.execute("INSERT INTO t SELECT 1 / (id - id), 'lost' FROM t")
                connection.execute("INSERT INTO t VALUES (31, 'skipped')")
        raises(errors.DivisionByZero, fails)
        assert count(observer) == 6
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO t VALUES (%s, %s)", [(n, "many") for n in range(40, 50)])
            assert cursor.rowcount == 10
        assert count(observer) == 16
        versions = observer.execute("SELECT version FROM system.tables WHERE name = 't'").fetchone()[0]
        with connection.pipeline():
            for number in range(50, 60):
                connection.execute("INSERT INTO t VALUES (%s, 'one commit')", (number,))
        after = observer.execute("SELECT version FROM system.tables WHERE name = 't'").fetchone()[0]
        assert after == versions + 1, (versions, after)


def conflicts(observer):
    with connect() as one, connect() as two:
        for connection in (one, two):
            connection.execute("UPDATE t SET name = 'contended' WHERE id = 10")
        one.commit()
        found = raises(errors.SerializationFailure, two.commit)
        assert found.sqlstate == "40001"
        assert two.info.transaction_status == TransactionStatus.IDLE
        two.execute("UPDATE t SET name = 'again' WHERE id = 10")
        two.commit()
    assert observer.execute("SELECT name FROM t WHERE id = 10").fetchone() == ("again",)


def temporary_tables(observer):
    with connect() as connection:
        connection.execute("CREATE TEMP TABLE batch (id int, name text) ON COMMIT DROP")
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO batch VALUES (%s, %s)", [(n, f"n{n}") for n in range(100, 110)])
        connection.execute("DELETE FROM t WHERE id IN (SELECT id FROM batch)")
        connection.execute("INSERT INTO t SELECT id, name FROM batch")
        connection.commit()
        raises(errors.UndefinedTable, connection.execute, "SELECT * FROM batch")
        connection.rollback()
        connection.read_only = True
        raises(errors.ReadOnlySqlTransaction, connection.execute, "DELETE FROM t")
        connection.rollback()
        connection.read_only = False
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        assert connection.execute("SHOW transaction_isolation").fetchone() == ("repeatable read",)
    assert observer.execute("SELECT count(*) FROM t WHERE id BETWEEN 100 AND 109").fetchone() == (10,)


with connect(autocommit=True) as watcher:
    watcher.execute("CREATE TABLE t (id int, name text)")
    for check in (default_flow, nested, pipelines, conflicts, temporary_tables):
        check(watcher)
print("all checks passed")
