"""Superset's REST API, as far as the tests need it."""

import requests

TIMEOUT_S = 300


class Refused(Exception):
    """What Superset said instead of doing it."""


class Api:
    def __init__(self, address, user, password):
        self.address = f"{address}/api/v1"
        self.session = requests.Session()
        log_in = {"username": user, "password": password, "provider": "db", "refresh": False}
        token = self.call("POST", "security/login", json=log_in)["access_token"]
        self.session.headers["Authorization"] = f"Bearer {token}"

    def raw(self, method, path, **request):
        return self.session.request(method, f"{self.address}/{path}", timeout=TIMEOUT_S, **request)

    def call(self, method, path, **request):
        response = self.raw(method, path, **request)
        if response.status_code >= 400:
            raise Refused(f"{method} {path}: {response.status_code} {said(response)}")
        return response.json()

    def get(self, path, **request):
        return self.call("GET", path, **request)

    def post(self, path, body):
        return self.call("POST", path, json=body)

    def chart(self, dataset, *queries, result_type="full"):
        """The answers to the queries of a chart, in the form that dashboards get them."""
        body = {
            "datasource": {"id": dataset, "type": "table"},
            "queries": list(queries),
            "force": True,
            "result_format": "json",
            "result_type": result_type,
        }
        return self.post("chart/data", body)["result"]

    def rows(self, dataset, **query):
        """The rows of a chart's only query."""
        query = {"columns": [], "metrics": [], "filters": [], "row_limit": 50_000, **query}
        return self.chart(dataset, query)[0]["data"]


def said(response):
    """The messages of an error, without the links to the manual that come with them."""
    try:
        body = response.json()
    except ValueError:
        return response.text[:500]
    errors = body.get("errors") or [body]
    return "; ".join(str(error.get("message", error)) for error in errors)
