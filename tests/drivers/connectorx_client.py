"""connectorx: frames read in parallel partitions, over each of its four ways to read from PostgreSQL."""

import connectorx as cx
from transcript import SETUP, SHOP, arrow, directly, frame, run, step, uri

KINDS = "SELECT id, ok, small, n, r, f, amount, t, v, b, day, at, instant, u FROM kinds ORDER BY id"
PROTOCOLS = ("binary", "csv", "cursor", "simple")


class Place:
    """connectorx connects by itself, for each partition."""

    def close(self):
        pass


def read(sql, **options):
    try:
        return cx.read_sql(uri(), sql, **options)
    except Exception:
        raise
    except BaseException as panic:
        # What a thread of connectorx cannot do ends in a panic, which is no Exception.
        raise RuntimeError(str(panic)) from None


@step
def set_up(place):
    directly(*SETUP, *SHOP)


def by_protocol(work):
    """The step with each protocol, by its name."""
    for protocol in PROTOCOLS:
        def one(place, protocol=protocol):
            return work(protocol)
        one.__name__ = f"{work.__name__}_{protocol}"
        step(one)


@by_protocol
def every_type_to_arrow(protocol):
    return arrow(read(KINDS, protocol=protocol, return_type="arrow"))


@by_protocol
def every_type_to_pandas(protocol):
    return frame(read(KINDS, protocol=protocol))


@by_protocol
def arrays(protocol):
    return arrow(read("SELECT id, words, numbers FROM kinds ORDER BY id", protocol=protocol, return_type="arrow"))


@by_protocol
def json_documents(protocol):
    return frame(read("SELECT order_id, line, note FROM shop.orders ORDER BY order_id, line", protocol=protocol))


@by_protocol
def partitions(protocol):
    table = read("SELECT id, name, price FROM many", protocol=protocol, return_type="arrow", partition_on="id", partition_num=3)
    return table.num_rows, arrow(table.sort_by("id").slice(0, 2)), sum(table.column("id").to_pylist())


@by_protocol
def totals(protocol):
    return frame(read("SELECT category, count(*) AS n, sum(amount) AS total, avg(quantity) AS mean, max(ordered_at) AS last"
                      " FROM shop.orders GROUP BY category ORDER BY category", protocol=protocol))


@by_protocol
def no_rows(protocol):
    return frame(read("SELECT id, name, price, day FROM many WHERE id < 0", protocol=protocol))


@step
def partitions_within_bounds(place):
    table = read("SELECT id FROM many WHERE id <= 100", return_type="arrow", partition_on="id", partition_num=2,
                 partition_range=(1, 100))
    return table.num_rows


@step
def several_queries(place):
    return frame(read([f"SELECT id, name FROM many WHERE id = {n}" for n in (1, 2)]).sort_values("id", ignore_index=True))


@step
def in_batches(place):
    reader = read("SELECT id FROM many ORDER BY id", return_type="arrow_stream", batch_size=700)
    return [batch.num_rows for batch in reader]


@step
def metadata(place):
    return [(name, str(kind)) for name, kind in cx.get_meta(uri(), "SELECT * FROM shop.customers").dtypes.items()]


@step
def partitioned_queries(place):
    return cx.partition_sql(uri(), "SELECT id FROM many", "id", 2)


@step
def what_expressions_are(place):
    return [frame(read(sql)) for sql in ("SELECT 1 AS one, 2::bigint AS two, 1.5 AS half, 'x' AS word, true AS yes",
                                         "SELECT id / 2 AS h, price * 2 AS d, name || '!' AS w FROM many WHERE id < 3 ORDER BY id",
                                         'SELECT "Id", "select" FROM shop."Odd Names"')]


@step
def an_absent_relation(place):
    read("SELECT * FROM absent")


@step
def an_absent_column(place):
    read("SELECT absent FROM many")


run(Place, lambda error: None)
