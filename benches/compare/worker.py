"""A Python library under measurement, in a process of its own: DuckDB, jieba, or the libraries of statistics.

Reads a request a line from standard input, and answers a line: seconds and CPU seconds of the work alone, without
the start of the process, and the peak memory of the process.
"""

import json
import os
import resource
import subprocess
import sys
import time

from turns import Measured


class Worker:
    """The handle of the process."""

    def __init__(self, library):
        self.process = subprocess.Popen([sys.executable, __file__, library], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def measure(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the worker has died")
        return Measured(**json.loads(line))


def _duckdb():
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET TimeZone = 'UTC'")

    def run(sql):
        cursor = connection.execute(sql)
        return [[None if value is None else str(value) for value in row] for row in cursor.fetchall()]

    return run


def _jieba():
    import logging

    import jieba
    import jieba.analyse

    jieba.setLogLevel(logging.WARNING)
    jieba.initialize()
    texts = []

    def run(work, file=None):
        if work == "read":
            with open(file, encoding="utf-8") as opened:
                texts.extend(json.load(opened))
            jieba.analyse.extract_tags(texts[0], topK=5)  # Reads its frequencies once.
            return len(texts)
        if work == "tokenize":
            return sum(len(jieba.lcut(text)) for text in texts)
        if work == "keywords":
            return sum(len(jieba.analyse.extract_tags(text, topK=5)) for text in texts)
        raise ValueError(work)

    return run


def _regression():
    import numpy
    import pyarrow.parquet
    import statsmodels.api
    from lifelines import CoxPHFitter
    from lifetimes import BetaGeoFitter, GammaGammaFitter
    from sklearn.linear_model import LogisticRegression

    columns = {}

    def run(work, file=None, drivers=(), customers=None):
        if work == "read":
            table = pyarrow.parquet.read_table(file)
            columns["drivers"] = numpy.column_stack([table[name].to_numpy() for name in drivers])
            columns.update({name: table[name].to_numpy() for name in ("y", "churned")})
            columns["survival"] = table.select(["day", "churned", *drivers[:5]]).to_pandas()
            columns["survival"]["day"] += 1
            columns["customers"] = pyarrow.parquet.read_table(customers).to_pandas()
            return table.num_rows
        if work == "ols":
            fit = statsmodels.api.OLS(columns["y"], statsmodels.api.add_constant(columns["drivers"])).fit()
            return [float(value) for pair in zip(fit.params, fit.bse) for value in pair]
        if work == "logistic":
            fit = LogisticRegression(C=numpy.inf, solver="newton-cholesky", tol=1e-9)
            fit.fit(columns["drivers"], columns["churned"])
            return [float(value) for value in (*fit.intercept_, *fit.coef_[0])]
        if work == "cox":
            fit = CoxPHFitter().fit(columns["survival"], "day", "churned")
            return [float(value) for value in fit.params_]
        if work == "clv":
            them = columns["customers"]
            fit = BetaGeoFitter().fit(them.frequency, them.recency, them.age)
            expected = fit.conditional_expected_number_of_purchases_up_to_time(13, them.frequency, them.recency, them.age)
            again = them[them.frequency > 0]
            GammaGammaFitter().fit(again.frequency, again.spend)
            return [len(them), float(expected.sum())]
        raise ValueError(work)

    return run


def _cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Whatever a library prints is not an answer.
    run = {"duckdb": _duckdb, "jieba": _jieba, "regression": _regression}[sys.argv[1]]()
    for line in sys.stdin:
        request = json.loads(line)
        cpu, started = _cpu_seconds(), time.perf_counter()
        answer = run(**request)
        seconds = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        answers.write(json.dumps({"seconds": seconds, "cpu_seconds": _cpu_seconds() - cpu, "peak_bytes": peak,
                                  "answer": answer}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
