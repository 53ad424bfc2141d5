"""The report: every number in it comes from a measurement of this machine."""

MIB, GIB = 2**20, 2**30

HEAD = """# Results

Voxhouse beside DuckDB, PostgreSQL and jieba: the same work, in turns, on one machine. Written by
`compare/compare.py`; see [README](README.md) for how to run it. Ratios are Voxhouse divided by the peer, so below 1
Voxhouse is quicker. "CPU" is the processor time of all cores that the work took: it hardly depends on what else the
machine does, while the time on the clock does. Targets are judged by medians; that of loading also by the quickest runs
and by CPU, and the worst of the three counts.
"""


def seconds(value):
    if value is None:
        return "–"
    return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.2f} s"


def megabytes(value):
    return f"{value / MIB:,.0f} MiB"


def kilobytes(value):
    return f"{value / 1024:,.1f} KiB"


def ratio(ours, theirs):
    # The kernel counts processor time in hundredths of a second: less than that has no ratio.
    return "–" if not ours or not theirs else f"{ours / theirs:.2f}"


def table(header, rows):
    lines = [header, ["---"] + ["--:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def verdict(met):
    return "met" if met else "**missed**"


def times(one):
    return [seconds(one["median_s"]), seconds(one["minimum_s"]), seconds(one["median_cpu_s"])]


def against(ours, theirs):
    return [ratio(ours["median_s"], theirs["median_s"]), ratio(ours["minimum_s"], theirs["minimum_s"]),
            ratio(ours["median_cpu_s"], theirs["median_cpu_s"])]


class Report:
    def __init__(self, cases):
        self.cases = cases

    def text(self):
        parts = [HEAD, self._targets()]
        for name in ("load_parquet", "load_sample", "rows", "lines", "streams", "connections", "catalogs", "scans", "scans_sample",
                     "texts", "statistics"):
            if name in self.cases:
                parts.append(getattr(self, f"_{name}")(self.cases[name]))
        return "\n\n".join(part.strip() for part in parts) + "\n"

    def _targets(self):
        rows = []
        if load := self.cases.get("load_parquet"):
            duckdb = load["duckdb"]
            for name in ("voxhouse, server", "voxhouse, load --pipe"):
                best = load[name]["minimum_s"] / duckdb["minimum_s"]
                middle = load[name]["median_s"] / duckdb["median_s"]
                cpu = load[name]["median_cpu_s"] / duckdb["median_cpu_s"]
                # A noisy minute can flatter one of the three; the target is met only if none of them says otherwise.
                rows.append([f"load {load['bytes'] / 1e9:.2f} GB of Parquet ({name})",
                             f"≤ {load['target']} × DuckDB",
                             f"{middle:.2f} × (quickest runs {best:.2f}, CPU {cpu:.2f})",
                             verdict(max(middle, best, cpu) <= load["target"])])
            peak = load["voxhouse, server"]["peak_bytes"]
            rows.append(["peak memory of the server while loading", f"< {load['memory_target'] / GIB:.0f} GiB",
                         megabytes(peak), verdict(peak < load["memory_target"])])
        if found := self.cases.get("rows"):
            first = found["stream"]["median_s"]
            shown = f"{seconds(first)} (quickest {seconds(found['stream']['minimum_s'])})"
            rows.append([f"first row of SELECT * of {found['rows']:,} rows, warm, `stream()` of psycopg",
                         f"< {seconds(found['target'])}", shown, verdict(first < found["target"])])
            psql = found["psql"]
            rows.append([f"the same in psql with FETCH_COUNT {found['fetch_count']}", f"< {seconds(found['target'])}",
                         *((f"`{psql['error']}`", verdict(False)) if "error" in psql else
                           (f"{seconds(psql['median_s'])} (quickest {seconds(psql['minimum_s'])})",
                            verdict(psql["median_s"] < found["target"])))])
        if found := self.cases.get("streams"):
            for name, one in found["protocols"].items():
                rows.append([f"growth of the server while {found['rows']:,} rows stream to a slow reader ({name})",
                             f"< {megabytes(found['growth_target'])}", megabytes(one["growth"]),
                             verdict(one["growth"] < found["growth_target"])])
            for name, one in found["cancels"].items():
                rows.append([f"cancel of {name}", f"< {seconds(found['cancel_target'])}",
                             f"{seconds(one['median_s'])} (slowest {seconds(one['maximum_s'])})",
                             verdict(one["maximum_s"] < found["cancel_target"])])
        if found := self.cases.get("lines"):
            rate, share, copy = found["targets"]
            for way, one in found["ways"].items():
                if "error" in one:
                    continue
                wanted = copy if "copy in binary" in way else rate
                quicker = one["postgres"]["median_s"] / one["voxhouse"]["median_s"]
                cpu = one["voxhouse"]["median_cpu_s"] / one["postgres"]["median_cpu_s"]
                rows.append([f"{found['rows']:,} rows of lineitem: {way}",
                             f"{wanted} × PostgreSQL's rows/s, or at most {share} of its CPU",
                             f"{quicker:.2f} ×, {cpu:.2f} of the CPU", verdict(quicker >= wanted or cpu <= share)])
        if found := self.cases.get("catalogs"):
            tree, describe = found["targets"]
            columns = found["asked"]["pgjdbc, getColumns"]
            rows.append([f"pgjdbc's getColumns of one schema, {found['tables']:,} tables in all", f"≤ {tree} × PostgreSQL",
                         f"{columns['voxhouse'] / columns['postgres']:.2f} ×",
                         verdict(columns["voxhouse"] <= tree * columns["postgres"])])
            described = self._net(found)["psql, \\d s1.t0007"]["voxhouse"]
            rows.append(["`\\d` of a table among them", f"< {seconds(describe)}", seconds(described), verdict(described < describe)])
        if found := self.cases.get("connections"):
            ours = found["voxhouse"]
            times = ours["p99_s"] / ours["median_alone_s"]
            rows.append([f"p99 of {found['clients']} connections that ask small questions",
                         f"< {found['p99_target']} × the median of one alone, no errors",
                         f"{times:.1f} × ({seconds(ours['p99_s'])}), none of {ours['questions']:,} failed",
                         verdict(times < found["p99_target"])])
            worst = max(found["idle_bytes"], found["rested_bytes"])
            rows.append([f"memory of each of {found['idle']:,} idle connections",
                         f"< {kilobytes(found['idle_target'])}", kilobytes(worst),
                         verdict(worst < found["idle_target"])])
        return "## Targets\n\n" + table(["what", "target", "measured", ""], rows)

    def _conditions(self, case):
        low, high = case["load_average"]
        noise = case["machine"]
        versions = ", ".join(f"{name} {version}" for name, version in case["versions"].items())
        return (f"{noise['CPU']}, {noise['cores']} cores, {noise['memory']}, {noise['kernel']}. {versions}. "
                f"{case['rounds']} rounds or more, {case['measured_at']}; load average {low:.1f} before, "
                f"{high:.1f} after.")

    def _load_parquet(self, case):
        duckdb = case["duckdb"]
        names = ["duckdb", "voxhouse, server", "voxhouse, load --pipe"]
        rows = [[name, *times(case[name]), *against(case[name], duckdb), megabytes(case[name]["peak_bytes"])]
                for name in names]
        return f"""## Loading Parquet

{case["rows"]:,} rows in {case["files"]} Parquet files (snappy, {case["bytes"] / 1e9:.2f} GB) with NOT NULL and CHECK
constraints into Delta with zstd, through `CALL system.run_pipe` of a running server and through
`voxhouse load --pipe`, which also copies the files into the warehouse. DuckDB: `COPY (SELECT * FROM read_parquet(…))
TO … (FORMAT parquet, COMPRESSION zstd)`. Written: Voxhouse {megabytes(case["voxhouse_bytes"])}, DuckDB
{megabytes(case["duckdb_bytes"])}.

{table(["", "median", "quickest", "CPU", "ratio", "of quickest", "of CPU", "peak memory"], rows)}

{self._conditions(case)}"""

    def _load_sample(self, case):
        names = ["postgres", "duckdb", "voxhouse, server"]
        ours = case["voxhouse, server"]
        rows = [[name, *times(case[name]), *against(ours, case[name])] for name in names]
        return f"""## Loading CSV, the 10 % sample

Every tenth of those rows, {case["rows"]:,}, as one CSV file of {case["bytes"] / 1e9:.2f} GB. PostgreSQL: `COPY … FROM`
into a table without an index, durability off. DuckDB: to Parquet with zstd, column types given. The ratios are
Voxhouse to the system of the line.

{table(["", "median", "quickest", "CPU", "ratio", "of quickest", "of CPU"], rows)}

{self._conditions(case)}"""

    def _rows(self, case):
        stream, psql = case["stream"], case["psql"]
        lines = [["psycopg `stream()`, extended protocol", *times(stream)[:2]]]
        if "error" in psql:
            said = f"psql, FETCH_COUNT {case['fetch_count']}, did not answer: `{psql['error']}`."
        else:
            lines.append([f"psql, FETCH_COUNT {case['fetch_count']} (DECLARE CURSOR, FETCH)", *times(psql)[:2]])
            said = ""
        return f"""## Rows on their way out

`SELECT *` of a table of {case["rows"]:,} rows: from sending the statement to the first row in the client's hands.
Between two runs the server gets a quarter of a second to drop the result that the client left unread.

{table(["", "median", "quickest"], lines)}

{said}

{self._conditions(case)}"""

    def _streams(self, case):
        lines = []
        for name, one in case["protocols"].items():
            tenths = ", ".join(f"{value / MIB:,.0f}" for value in one["tenths"])
            lines.append([name, seconds(one["seconds"]), seconds(one["cpu_s"]), megabytes(one["before"]), tenths,
                          megabytes(one["peak"]), megabytes(one["growth"])])
        cancels = [[name, seconds(one["median_s"]), seconds(one["maximum_s"])]
                   for name, one in case["cancels"].items()]
        return f"""## A long result and a slow reader

{case["rows"]:,} rows to a reader that takes {case["pace"]:,} rows a second at most. Resident memory of the server by
tenths of the stream (medians); grown: the peak after the first tenth less that of the first tenth.

{table(["protocol", "time", "CPU", "before", "by tenths, MiB", "peak", "grown"], lines)}

From sending a CancelRequest to the error in the client's hands:

{table(["cancel of", "median", "slowest"], cancels)}

{self._conditions(case)}"""

    def _lines(self, case):
        rows = []
        for way, one in case["ways"].items():
            if "error" in one:
                rows.append([way, *["–"] * 5, one["error"]])
                continue
            ours, theirs = one["voxhouse"], one["postgres"]
            rate = [f"{case['rows'] / system['median_s']:,.0f}" for system in (theirs, ours)]
            rows.append([way, *rate, seconds(theirs["median_cpu_s"]), seconds(ours["median_cpu_s"]),
                         *against(ours, theirs)[::2]])
        header = ["", "PostgreSQL, rows/s", "Voxhouse, rows/s", "PostgreSQL, CPU", "Voxhouse, CPU", "ratio", "of CPU"]
        return f"""## Rows to clients

{case["rows"]:,} rows of 16 columns (TPC-H's lineitem) from connecting to the last row, which the client drops. PostgreSQL
has the table in its buffers. CPU is that of the server.

{table(header, rows)}

{self._conditions(case)}"""

    @staticmethod
    def _net(case):
        """Without what psql takes to start, to log in and to ask for nothing."""
        start = case["asked"]["psql, SELECT 1"]
        return {what: {name: took - start[name] if what.startswith("psql, \\") else took for name, took in one.items()}
                for what, one in case["asked"].items() if what != "psql, SELECT 1"}

    def _catalogs(self, case):
        rows = [[f"`{what}`" if what.startswith("psql") else what, seconds(one["postgres"]), seconds(one["voxhouse"]),
                 ratio(one["voxhouse"], one["postgres"])] for what, one in self._net(case).items()]
        made = case["made_s"]
        rows.append(["CREATE TABLE, each", seconds(made["postgres"] / case["tables"]), seconds(made["voxhouse"] / case["tables"]),
                     ratio(made["voxhouse"], made["postgres"])])
        return f"""## The schema tree

{case["tables"]:,} tables with {case["columns"]:,} columns in four schemas; the driver asks for one of them. From psql's time that
of `SELECT 1` is taken off: start and login.

{table(["", "PostgreSQL", "Voxhouse", "ratio"], rows)}

{self._conditions(case)}"""

    def _connections(self, case):
        ours, theirs = case["voxhouse"], case["postgres"]
        lines = [
            ["one connection alone, median", "median_alone_s"], ["the same, p99", "p99_alone_s"],
            [f"{case['clients']} connections, median", "median_s"], ["the same, p99", "p99_s"],
            [f"{case['clients']} connections flat out, median", "flat_out_median_s"],
            ["the same, p99", "flat_out_p99_s"],
        ]
        rows = [[name, seconds(theirs[key]), seconds(ours[key]), ratio(ours[key], theirs[key])] for name, key in lines]
        for name, key in [("questions a second, one connection", "rate_alone"),
                          (f"questions a second, {case['clients']} flat out", "flat_out_rate")]:
            rows.append([name, f"{theirs[key]:,.0f}", f"{ours[key]:,.0f}", ratio(ours[key], theirs[key])])
        for name, key in [("memory of a connection that has asked nothing", "idle_bytes"),
                          ("memory of one that has asked and rests", "rested_bytes")]:
            peer = case[f"postgres_{key}"]
            rows.append([name, kilobytes(peer), kilobytes(case[key]), ratio(case[key], peer)])
        return f"""## Many connections

pgbench, extended protocol, `{case["question"]}` over 10,000 rows. The {case["clients"]} connections ask in turns, all
together at {case["load"]:.0%} of the rate at which one alone gets answers; flat out, each asks again as soon as it is
answered, and they wait for the cores. Memory is what the server grows by, over {case["idle"]:,} connections.

{table(["", "PostgreSQL", "Voxhouse", "ratio"], rows)}

{self._conditions(case)}"""

    def _scans(self, case):
        rows = [[name, seconds(one["duckdb"]["median_s"]), seconds(one["voxhouse"]["median_s"]),
                 *against(one["voxhouse"], one["duckdb"]), megabytes(one["voxhouse"]["peak_bytes"])]
                for name, one in case["queries"].items()]
        header = ["", "DuckDB", "Voxhouse", "ratio", "of quickest", "of CPU", "peak memory of the server"]
        return f"""## Questions to {case["rows"]:,} rows

DuckDB inside its process over the Parquet file that it wrote itself; Voxhouse over the wire on its table. All answers
were compared and agree.

{table(header, rows)}

{self._conditions(case)}"""

    def _scans_sample(self, case):
        rows = [[name, seconds(one["postgres"]["median_s"]), seconds(one["voxhouse"]["median_s"]),
                 *against(one["voxhouse"], one["postgres"])[:2]] for name, one in case["queries"].items()]
        return f"""## Questions to the 10 % sample, {case["rows"]:,} rows

PostgreSQL with ANALYZE and without indexes; both over the wire. All answers were compared and agree.

{table(["", "PostgreSQL", "Voxhouse", "ratio", "of quickest"], rows)}

{self._conditions(case)}"""

    def _texts(self, case):
        rows = []
        for name, one in case["work"].items():
            ours, theirs = one["voxhouse"], one.get("jieba")
            rate = lambda run: f"{case['texts'] / run['minimum_s']:,.0f}" if run else "–"
            rows.append([name, rate(theirs), rate(ours), *(against(ours, theirs) if theirs else ["–"] * 3)])
        return f"""## Text

{case["texts"]:,} verbatims of the demo, {case["characters"] / case["texts"]:.0f} characters on average; texts a second in
the quickest run. jieba is the Python library on one core, Voxhouse is SQL on all cores: the ratio of CPU compares one core
to one core. The two do not do quite the same: Voxhouse also normalises widths and case and drops punctuation.

{table(["", "jieba, texts/s", "Voxhouse, texts/s", "ratio", "of quickest", "of CPU"], rows)}

{self._conditions(case)}"""

    def _statistics(self, case):
        rows = []
        for name, one in case["work"].items():
            ours = one["voxhouse"]
            peer = next((system for system in one if system != "voxhouse"), None)
            theirs = times(one[peer]) if peer else ["–"] * 3
            rows.append([name, peer or "–", *theirs, *times(ours), ratio(ours["median_cpu_s"], one[peer]["median_cpu_s"]) if peer else "–"])
        return f"""## Statistics

Ten drivers. DuckDB computes the 77 sums of a regression over a table in memory, statsmodels, scikit-learn and lifelines fit
arrays in memory, lifetimes a summary of the orders made beforehand; Voxhouse reads its Parquet files and answers with standard errors, tests and intervals.

{table(["", "peer", "median", "quickest", "CPU", "Voxhouse, median", "quickest", "CPU", "ratio of CPU"], rows)}

{self._conditions(case)}"""
