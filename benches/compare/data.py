"""The rows that all systems work on: orders with a short comment, and the customers who wrote them.

Every value follows from the number of its row through DuckDB's hash, so two runs make the same rows. Prices, cities,
statuses and texts repeat as they do in a shop's export; order numbers do not.
"""

from pathlib import Path

ROWS = 10_000_000
FILES = 8
CUSTOMERS = 500_000
# PostgreSQL gets every tenth row, as CSV.
SAMPLE_SHARE = 10

COLUMNS = [
    ("order_no", "text"),
    ("customer_id", "bigint"),
    ("device_id", "text"),
    ("tracking_no", "text"),
    ("ordered_at", "timestamptz"),
    ("promised_at", "timestamptz"),
    ("delivered_at", "timestamptz"),
    ("amount", "numeric(18,2)"),
    ("margin", "numeric(18,2)"),
    ("status", "text"),
    ("channel", "text"),
    ("city", "text"),
    ("category", "text"),
    ("score", "integer"),
    ("comment", "text"),
]
CUSTOMER_COLUMNS = [
    ("customer_id", "bigint"),
    ("segment", "text"),
    ("home_city", "text"),
    ("born_in", "integer"),
    ("joined_on", "date"),
]

CITIES = ["上海", "北京", "广州", "深圳", "成都", "杭州", "武汉", "西安", "重庆", "南京", "苏州", "天津", "长沙", "郑州",
          "青岛", "厦门", "London", "Singapore", "Sydney", "Toronto"]
CATEGORIES = ["家电", "手机", "服饰", "食品", "美妆", "母婴", "图书", "家居", "运动", "宠物"]
CHANNELS = ["app", "wechat", "web", "store", "phone"]
SEGMENTS = ["new", "regular", "silver", "gold", "platinum"]
CHINESE = [
    ["快递", "物流", "客服", "包装", "这款产品", "退款", "售后", "安装师傅", "配送员", "发票"],
    ["太慢了", "很快", "态度很好", "爱答不理", "比上次差", "超出预期", "一般般", "让人失望", "非常专业", "没有人管"],
    ["，等了", "，前后花了", "，已经过去", "，联系了", "，只用了", "，说好的"],
    ["天", "个小时", "次电话", "周", "个工作日"],
    ["，以后不会再来了。", "，下次还会再买！", "，希望改进。", "，推荐给朋友了。", "，请尽快处理。", "，还算满意吧。", "。"],
]
ENGLISH = [
    ["delivery", "the courier", "support", "packaging", "this product", "the refund", "after-sales", "the invoice"],
    [" was far too slow", " was quick", " could not have been kinder", " ignored me", " is worse than last time",
     " was better than expected", " was so so", " let me down"],
    [", I waited", ", it took", ", after", ", I called", ", only"],
    [" days", " hours", " calls", " weeks"],
    [", never again.", ", will buy again!", ", please improve.", ", told my friends.", ", sort it out.", "."],
]


def _pick(values, salt, row="i"):
    listed = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    return f"list_extract([{listed}], 1 + (hash({row}, {salt}) % {len(values)})::INT)"


def _sentence(parts, salt):
    first, second, third, fourth, last = parts
    count = f"(1 + hash(i, {salt + 9}) % 40)"
    return (f"{_pick(first, salt)} || {_pick(second, salt + 1)} || {_pick(third, salt + 2)} || ' ' || {count} || "
            f"{_pick(fourth, salt + 3)} || {_pick(last, salt + 4)}")


def _orders_sql(start, end):
    step = 2 * 365 * 86_400_000_000 // ROWS
    epoch = 1_704_067_200_000_000  # 2024-01-01
    two_chinese = f"{_sentence(CHINESE, 100)} || {_sentence(CHINESE, 120)}"
    return f"""
        SELECT 'SO' || lpad((hash(i, 1) % 10000)::VARCHAR, 4, '0') || lpad(i::VARCHAR, 10, '0') AS order_no,
               (hash(i, 2) % {CUSTOMERS})::BIGINT AS customer_id,
               md5((hash(i, 2) % {CUSTOMERS})::VARCHAR || '/' || (hash(i, 14) % 2)::VARCHAR) AS device_id,
               'YT' || lpad((hash(i, 15) % 10000000000000)::VARCHAR, 13, '0') AS tracking_no,
               make_timestamptz({epoch} + i * {step} + (hash(i, 3) % 3600000000)::BIGINT) AS ordered_at,
               make_timestamptz({epoch} + i * {step} + (24 + hash(i, 16) % 96)::BIGINT * 3600000000) AS promised_at,
               CASE WHEN hash(i, 4) % 100 < 93
                    THEN make_timestamptz({epoch} + i * {step} + (hash(i, 5) % 700000000000)::BIGINT + 3600000000)
               END AS delivered_at,
               ((pow(1.0 + (hash(i, 6) % 10000) / 1000.0, 3) * 100)::BIGINT / 100.0)::DECIMAL(18,2) AS amount,
               (((hash(i, 7) % 9000)::BIGINT - 1000) / 100.0)::DECIMAL(18,2) AS margin,
               CASE WHEN hash(i, 4) % 100 < 88 THEN 'delivered' WHEN hash(i, 4) % 100 < 93 THEN 'returned'
                    WHEN hash(i, 4) % 100 < 98 THEN 'cancelled' ELSE 'lost' END AS status,
               {_pick(CHANNELS, 8)} AS channel,
               {_pick(CITIES, 9)} AS city,
               {_pick(CATEGORIES, 10)} AS category,
               CASE WHEN hash(i, 11) % 100 < 55 THEN (hash(i, 12) % 11)::INTEGER END AS score,
               CASE WHEN hash(i, 13) % 100 < 20 THEN NULL
                    WHEN hash(i, 13) % 100 < 60 THEN {two_chinese}
                    WHEN hash(i, 13) % 100 < 75 THEN {_sentence(CHINESE, 140)}
                    ELSE {_sentence(ENGLISH, 160)} END AS comment
        FROM range({start}, {end}) AS rows(i)"""


def _customers_sql():
    return f"""
        SELECT i::BIGINT AS customer_id, {_pick(SEGMENTS, 30)} AS segment, {_pick(CITIES, 31)} AS home_city,
               (1950 + hash(i, 32) % 60)::INTEGER AS born_in,
               (DATE '2015-01-01' + (hash(i, 33) % 3600)::INTEGER) AS joined_on
        FROM range({CUSTOMERS}) AS rows(i)"""


class Data:
    """The files of the comparison. Made once in a work folder, and used again by later runs."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.orders = [folder / "orders" / f"orders-{index}.parquet" for index in range(FILES)]
        self.customers = folder / "customers" / "customers.parquet"
        self.sample_csv = folder / "sample" / "orders-sample.csv"
        self.sample_parquet = folder / "sample" / "orders-sample.parquet"
        self.customers_csv = folder / "sample" / "customers.csv"

    @property
    def orders_glob(self):
        return str(self.folder / "orders" / "*.parquet")

    def orders_bytes(self):
        return sum(path.stat().st_size for path in self.orders)

    def make(self, duckdb):
        connection = duckdb.connect()
        connection.execute("SET TimeZone = 'UTC'")
        for index, path in enumerate(self.orders):
            start, end = ROWS * index // FILES, ROWS * (index + 1) // FILES
            self._write(connection, _orders_sql(start, end), path, "FORMAT parquet, COMPRESSION snappy")
        self._write(connection, _customers_sql(), self.customers, "FORMAT parquet, COMPRESSION snappy")
        sample = f"""SELECT * FROM read_parquet('{self.orders_glob}')
                     WHERE substr(order_no, -10)::BIGINT % {SAMPLE_SHARE} = 0"""
        csv = "FORMAT csv, HEADER, TIMESTAMPFORMAT '%Y-%m-%d %H:%M:%S.%f+00'"
        self._write(connection, sample, self.sample_csv, csv)
        self._write(connection, sample, self.sample_parquet, "FORMAT parquet, COMPRESSION snappy")
        self._write(connection, f"FROM read_parquet('{self.customers}')", self.customers_csv, "FORMAT csv, HEADER")
        connection.close()

    def _write(self, connection, query, path, options):
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(path.name + ".unfinished")
        connection.execute(f"COPY ({query}) TO '{unfinished}' ({options})")
        unfinished.rename(path)
