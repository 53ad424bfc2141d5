"""SQLAlchemy 2 over psycopg2: reflection as BI tools and dbt's neighbours use it, Core, and the ORM."""

import uuid
from datetime import date, datetime, timezone
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects import postgresql
from transcript import SETUP, SHOP, engine, plain, run, sqlalchemy_code, step

ENGINE = engine()
METADATA = sa.MetaData()
WRITTEN = sa.Table("written", METADATA, sa.Column("id", sa.Integer), sa.Column("name", sa.Text),
                   sa.Column("amount", sa.Numeric(18, 2)))


class Base(orm.DeclarativeBase):
    pass


class Account(Base):
    __tablename__ = "accounts"
    account_id: orm.Mapped[uuid.UUID] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str] = orm.mapped_column(sa.String(40))
    email: orm.Mapped[str | None] = orm.mapped_column(unique=True)
    balance: orm.Mapped[Decimal] = orm.mapped_column(sa.Numeric(18, 2), default=Decimal("0.00"))
    opened_on: orm.Mapped[date | None]
    seen_at: orm.Mapped[datetime | None] = orm.mapped_column(sa.DateTime(timezone=True))
    tags: orm.Mapped[list[str] | None] = orm.mapped_column(postgresql.ARRAY(sa.Text))
    active: orm.Mapped[bool] = orm.mapped_column(default=True)

    def told(self):
        return (self.account_id.int, self.name, self.email, self.balance, self.opened_on, self.seen_at, self.tags,
                self.active)


def written(connection):
    return [tuple(row) for row in connection.execute(sa.select(WRITTEN).order_by("id"))]


def reflected(column):
    told = {key: value for key, value in column.items() if value is not None}
    return {**told, "type": repr(column["type"])}


@step
def set_up(connection):
    for sql in SETUP + SHOP:
        connection.exec_driver_sql(sql)
    connection.commit()


@step
def what_the_dialect_found(connection):
    dialect = connection.dialect
    return (dialect.server_version_info[0], dialect.default_schema_name, dialect.default_isolation_level,
            connection.get_isolation_level())


@step
def names_of_schemas(connection):
    return sorted({"public", "information_schema", "shop", "pg_catalog"} & set(sa.inspect(connection).get_schema_names()))


@step
def names_of_relations(connection):
    inspector = sa.inspect(connection)
    return (
        inspector.get_table_names(), inspector.default_schema_name,
        sorted(inspector.get_table_names("shop")), sorted(inspector.get_view_names("shop")),
        sorted(inspector.get_materialized_view_names("shop")), inspector.get_temp_table_names(),
        inspector.get_sequence_names("shop"), inspector.get_enums("shop"), inspector.get_table_names("absent"),
    )


@step
def has_relations(connection):
    inspector = sa.inspect(connection)
    return [inspector.has_table(name, schema) for name, schema in [
        ("orders", "shop"), ("totals", "shop"), ("sales", "shop"), ("Odd Names", "shop"), ("odd names", "shop"),
        ("orders", None), ("many", None), ("absent", "shop"), ("orders", "absent"),
    ]] + [inspector.has_schema(name) for name in ("shop", "absent")] + [inspector.has_sequence("absent", "shop")]


def columns_of(name):
    def columns(connection):
        return [reflected(column) for column in sa.inspect(connection).get_columns(name, "shop")]
    columns.__name__ = "columns_of_" + name.lower().replace(" ", "_")
    return step(columns)


for relation in ("customers", "orders", "totals", "sales", "Odd Names", "loose"):
    columns_of(relation)


@step
def columns_of_what_is_not_there(connection):
    sa.inspect(connection).get_columns("absent", "shop")


@step
def keys(connection):
    inspector = sa.inspect(connection)
    return [(inspector.get_pk_constraint(name, "shop"), inspector.get_unique_constraints(name, "shop"),
             inspector.get_foreign_keys(name, "shop")) for name in ("customers", "orders")]


@step
def indexes(connection):
    return [sa.inspect(connection).get_indexes(name, "shop") for name in ("customers", "orders")]


@step
def checks(connection):
    return sa.inspect(connection).get_check_constraints("orders", "shop")


@step
def checks_in_other_words(connection):
    return sa.inspect(connection).get_check_constraints("loose", "shop")


@step
def comments(connection):
    inspector = sa.inspect(connection)
    return [inspector.get_table_comment(name, "shop") for name in ("customers", "orders", "totals")]


@step
def options(connection):
    return sa.inspect(connection).get_table_options("orders", schema="shop")


@step
def view_definitions(connection):
    """Written back in other words by every server: it must be there, and mean the same when it is run."""
    found = []
    for name in ("totals", "buyers", "sales"):
        definition = sa.inspect(connection).get_view_definition(name, "shop").strip().rstrip(";")
        rows = connection.exec_driver_sql(f"SELECT * FROM ({definition}) AS d").all()
        found.append((name, sorted(rows, key=repr)))
    return found


@step
def a_view_definition_in_postgresqls_words(connection):
    return sa.inspect(connection).get_view_definition("buyers", "shop")


@step
def reflect_a_schema(connection):
    metadata = sa.MetaData()
    metadata.reflect(connection, schema="shop", views=True)
    return [(table.name, table.comment, [column.name for column in table.primary_key],
             sorted(type(constraint).__name__ for constraint in table.constraints),
             [(column.name, str(column.type), column.nullable, column.autoincrement) for column in table.columns])
            for table in metadata.sorted_tables if table.name != "loose"]


@step
def a_reflected_table_and_its_copy(connection):
    metadata = sa.MetaData()
    orders = sa.Table("orders", metadata, schema="shop", autoload_with=connection)
    rows = [tuple(map(plain, row)) for row in connection.execute(sa.select(orders).order_by(orders.c.order_id, orders.c.line))]
    copied = orders.to_metadata(metadata, schema=None, name="copied")
    copied.create(connection)
    connection.commit()
    connection.execute(copied.insert().from_select(orders.c.keys(), sa.select(orders)))
    connection.commit()
    found = [reflected(column) for column in sa.inspect(connection).get_columns("copied")]
    count = connection.scalar(sa.select(sa.func.count()).select_from(copied))
    copied.drop(connection)
    connection.commit()
    return rows, count, found


@step
def core_insert_many(connection):
    result = connection.execute(WRITTEN.insert(), [
        {"id": n, "name": f"n{n}", "amount": Decimal(n) / 4} for n in range(2500)])
    connection.commit()
    totals = connection.execute(sa.select(sa.func.count(), sa.func.sum(WRITTEN.c.amount), sa.func.min(WRITTEN.c.name)))
    found = result.rowcount, totals.one()
    connection.execute(WRITTEN.insert().values([{"id": -1, "name": "a"}, {"id": -2, "name": "it's 好评"}]))
    connection.commit()
    rows = connection.execute(sa.select(WRITTEN).where(WRITTEN.c.id < 2).order_by(WRITTEN.c.id)).all()
    deleted = connection.execute(WRITTEN.delete()).rowcount
    connection.commit()
    return found, rows, deleted


@step
def core_update_and_delete(connection):
    connection.execute(WRITTEN.insert(), [{"id": n, "name": None, "amount": n} for n in range(5)])
    connection.commit()
    updated = connection.execute(WRITTEN.update().where(WRITTEN.c.id > 2).values(
        name=sa.case((WRITTEN.c.id == 3, "three"), else_="more"), amount=WRITTEN.c.amount * 2)).rowcount
    many = connection.execute(
        WRITTEN.update().where(WRITTEN.c.id == sa.bindparam("which")).values(name=sa.bindparam("new")),
        [{"which": 0, "new": "zero"}, {"which": 1, "new": "one"}]).rowcount
    connection.commit()
    found = written(connection)
    deleted = connection.execute(WRITTEN.delete().where(WRITTEN.c.id.in_([0, 1, 99]))).rowcount
    connection.execute(WRITTEN.delete())
    connection.commit()
    return updated, many, found, deleted


MANY = sa.table("many", sa.column("id", sa.BigInteger), sa.column("name", sa.String), sa.column("price", sa.Numeric),
                sa.column("day", sa.Date))
KINDS = sa.table("kinds", sa.column("id", sa.BigInteger), sa.column("at", sa.DateTime), sa.column("t"))
ID, NAME, DAY = MANY.c.id, MANY.c.name, MANY.c.day
RANKED = sa.select(ID, sa.func.row_number().over(order_by=MANY.c.price.desc()).label("place")).subquery()
FEWER = sa.select(ID).where(MANY.c.price < 1).cte("fewer")
QUERIES = {
    "like": sa.select(NAME).where(NAME.ilike("NAME 1_")).order_by(ID).limit(2).offset(1),
    "contains": sa.select(NAME).where(NAME.contains("249%", autoescape=True) | NAME.startswith("name 249", autoescape=True))
    .order_by(ID),
    "in": sa.select(ID).where(ID.in_([3, 1, 2]), NAME.notin_(["name 2"])).order_by(ID.desc()),
    "in_nothing": sa.select(ID).where(ID.in_([])),
    "between_dates": sa.select(sa.func.count()).where(DAY.between(date(2026, 1, 1), date(2026, 1, 2))),
    "window": sa.select(RANKED.c.id, RANKED.c.place).where(RANKED.c.place <= 2).order_by(RANKED.c.place),
    "with": sa.select(sa.func.count()).select_from(MANY.join(FEWER, ID == FEWER.c.id)),
    "extract": sa.select(sa.extract("month", DAY), sa.func.count()).group_by(sa.extract("month", DAY)),
    "date_trunc": sa.select(sa.func.date_trunc("hour", KINDS.c.at)).order_by(KINDS.c.id),
    "a_label_that_is_a_column": sa.select(sa.cast(KINDS.c.id, sa.Numeric(20, 1))).order_by(KINDS.c.id),
    "literals": sa.select(sa.null(), sa.literal("x") + "y", sa.literal(7), sa.true(), sa.literal(1.5)),
    "subqueries": sa.select(sa.select(ID).where(ID == 7).exists(), sa.select(sa.func.max(ID)).scalar_subquery()),
    "union": sa.union_all(sa.select(ID).where(ID < 3), sa.select(-ID).where(ID < 3)).order_by("id"),
    "string_agg": sa.select(sa.func.string_agg(NAME, ", ")).where(ID < 3),
    "array_agg": sa.select(sa.func.array_agg(postgresql.aggregate_order_by(ID, ID.desc()))).where(ID < 4),
    "division": sa.select(ID / 2, ID // 2, ID % 2, MANY.c.price / 3).where(ID == 7),
    "order_of_nulls": sa.select(KINDS.c.t).order_by(sa.nulls_first(KINDS.c.t.desc())),
    "distinct_on": sa.select(ID).ext(postgresql.distinct_on(DAY)).order_by(DAY, ID),
    "percentile": sa.select(sa.func.percentile_cont(0.5).within_group(ID), sa.func.count().filter(ID > 2498)),
    "rows_in": sa.select(ID).where(sa.tuple_(ID, NAME).in_([(1, "name 1"), (2, "other")])).order_by(ID),
    "any": sa.select(ID).where(ID == sa.any_(sa.cast([5, 6], postgresql.ARRAY(sa.BigInteger)))).order_by(ID),
    "coalesce": sa.select(sa.func.coalesce(KINDS.c.t, "none"), sa.func.lower(KINDS.c.t)).order_by(KINDS.c.id),
    "text": sa.text("SELECT :a + 1 AS one, CAST(:b AS text) AS two").bindparams(a=1, b="x"),
    "values": sa.select(sa.values(sa.column("n", sa.Integer), sa.column("w", sa.String), name="v")
                        .data([(1, "a"), (2, "b")])).order_by("n"),
    "lateral": sa.select(ID, sa.func.generate_series(1, ID)).where(ID < 3).order_by(ID),
    "grouping_sets": sa.select(KINDS.c.t, sa.func.count()).group_by(sa.func.rollup(KINDS.c.t)).order_by(sa.func.count(), KINDS.c.t),
}


def query(name, statement):
    def ask(connection):
        result = connection.execute(statement)
        return list(result.keys()), result.all()
    ask.__name__ = "query_" + name
    return step(ask)


for name, statement in QUERIES.items():
    query(name, statement)


@step
def streamed_rows(connection):
    result = connection.execution_options(yield_per=700).execute(sa.text("SELECT id, price FROM many ORDER BY id"))
    sizes = [len(partition) for partition in result.partitions()]
    streamed = connection.execution_options(stream_results=True, max_row_buffer=100).execute(
        sa.text("SELECT id, name FROM many ORDER BY id"))
    first = streamed.fetchmany(3)
    streamed.close()
    return sizes, first, connection.scalar(sa.text("SELECT count(*) FROM many"))


@step
def transactions(connection):
    with connection.begin():
        connection.execute(WRITTEN.insert(), {"id": 1, "name": "kept"})
        with connection.begin_nested() as savepoint:
            connection.execute(WRITTEN.insert(), {"id": 2, "name": "gone"})
            inside = len(written(connection))
            savepoint.rollback()
        try:
            with connection.begin_nested():
                connection.exec_driver_sql("SELECT * FROM absent")
        except sa.exc.ProgrammingError as error:
            code = error.orig.pgcode
        connection.execute(WRITTEN.insert(), {"id": 3, "name": "kept too"})
    try:
        with connection.begin():
            connection.execute(WRITTEN.insert(), {"id": 4, "name": "gone too"})
            raise KeyError
    except KeyError:
        pass
    found = written(connection)
    connection.execute(WRITTEN.delete())
    connection.commit()
    return inside, code, found


@step
def isolation_levels(connection):
    found = []
    for level in ("REPEATABLE READ", "SERIALIZABLE", "READ COMMITTED", "AUTOCOMMIT"):
        with ENGINE.connect().execution_options(isolation_level=level) as other:
            found.append((other.get_isolation_level(), other.scalar(sa.text("SHOW transaction_isolation"))))
    with ENGINE.connect().execution_options(postgresql_readonly=True) as other:
        try:
            other.execute(WRITTEN.insert(), {"id": 1})
        except sa.exc.DBAPIError as error:
            found.append((type(error).__name__, error.orig.pgcode))
    return found


@step
def create_all_and_drop_all(connection):
    Base.metadata.drop_all(connection)
    Base.metadata.create_all(connection)
    Base.metadata.create_all(connection)
    connection.commit()
    inspector = sa.inspect(connection)
    return ([reflected(column) for column in inspector.get_columns("accounts")], inspector.get_pk_constraint("accounts"),
            inspector.get_unique_constraints("accounts"))


@step
def orm_a_session(connection):
    found = []
    with orm.Session(ENGINE, expire_on_commit=True) as session:
        session.add_all([
            Account(account_id=uuid.UUID(int=n), name=f"name {n}", email=f"{n}@example.com" if n % 2 else None,
                    balance=Decimal(n) / 4, opened_on=date(2026, 1, n), tags=["a", None, "b c"] if n == 3 else None,
                    seen_at=datetime(2026, 1, n, 8, 30, 0, 123456, tzinfo=timezone.utc)) for n in range(1, 8)])
        session.add(Account(account_id=uuid.UUID(int=8), name="by default"))
        session.commit()
        third = session.get(Account, uuid.UUID(int=3))
        found.append(third.told())
        third.balance += 10
        third.tags = ["changed"]
        session.commit()
        session.refresh(third)
        found.append(third.told())
        session.delete(session.get(Account, uuid.UUID(int=4)))
        session.commit()
        found.append(session.scalars(sa.select(Account.name).order_by(Account.account_id)).all())
        found.append(session.execute(sa.update(Account).where(Account.balance < 1).values(active=False)).rowcount)
        session.commit()
        found.append([one.told() for one in session.scalars(sa.select(Account).where(~Account.active).order_by(Account.name))])
        session.bulk_update_mappings(Account, [{"account_id": uuid.UUID(int=5), "name": "by key"}])
        session.commit()
        found.append(session.scalar(sa.select(Account.name).where(Account.account_id == uuid.UUID(int=5))))
        found.append([one.name for one in session.scalars(sa.select(Account).order_by(Account.name).execution_options(yield_per=2))])
    return found


@step
def orm_what_the_keys_refuse(connection):
    found = []
    for account in (Account(account_id=uuid.UUID(int=1), name="again"),
                    Account(account_id=uuid.UUID(int=99), name="the same address", email="1@example.com"),
                    Account(account_id=uuid.UUID(int=98), name=None),
                    Account(account_id=uuid.UUID(int=97), name="x" * 41)):
        with orm.Session(ENGINE) as session:
            session.add(account)
            try:
                session.commit()
            except sa.exc.DBAPIError as error:
                found.append((type(error).__name__, error.orig.pgcode, error.orig.diag.constraint_name,
                              error.orig.diag.column_name, error.orig.diag.table_name))
    return found


@step
def returning(connection):
    found = [connection.execute(WRITTEN.insert().returning(WRITTEN.c.id, WRITTEN.c.name), {"id": 1, "name": "a"}).all(),
             connection.execute(WRITTEN.update().values(name="b").returning(WRITTEN)).all(),
             connection.execute(WRITTEN.delete().returning(WRITTEN.c.name)).all()]
    connection.commit()
    return found


@step
def insert_on_conflict(connection):
    statement = postgresql.insert(Account.__table__).values(account_id=uuid.UUID(int=1), name="upserted", balance=1, active=True)
    done = [connection.execute(statement.on_conflict_do_nothing()).rowcount,
            connection.execute(statement.on_conflict_do_update(index_elements=["account_id"],
                                                               set_={"name": statement.excluded.name})).rowcount]
    connection.commit()
    return done, connection.scalar(sa.select(Account.name).where(Account.account_id == uuid.UUID(int=1)))


@step
def a_table_with_serial_identity(connection):
    table = sa.Table("numbered", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text))
    table.drop(connection, checkfirst=True)
    table.create(connection)
    connection.commit()
    return connection.execute(table.insert(), {"name": "a"}).inserted_primary_key


@step
def a_temporary_table(connection):
    table = sa.Table("passing", sa.MetaData(), sa.Column("a", sa.Integer), prefixes=["TEMPORARY"])
    table.create(connection)
    connection.execute(table.insert(), [{"a": 1}, {"a": 2}])
    inspector = sa.inspect(connection)
    return connection.scalars(sa.select(table.c.a).order_by("a")).all(), inspector.get_temp_table_names(), inspector.has_table("passing")


@step
def errors(connection):
    found = []
    for sql in ("SELECT * FROM absent", "SELECT absent FROM many", "SELEKT 1", "SELECT 1/0", "SELECT 'x'::int",
                "INSERT INTO written VALUES (1, 'x', 1e30)", "SELECT absent(1)"):
        try:
            connection.exec_driver_sql(sql)
        except sa.exc.DBAPIError as error:
            connection.rollback()
            found.append((sql, type(error).__name__, error.orig.pgcode))
    return found


run(ENGINE.connect, sqlalchemy_code)
