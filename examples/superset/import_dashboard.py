#!/usr/bin/env python3
"""Puts the dashboard of this folder into a Superset, with its charts, datasets and the database.

    examples/superset/import_dashboard.py --voxhouse postgresql+psycopg2://voxhouse:PASSWORD@127.0.0.1:5433/voxhouse \\
        --superset http://127.0.0.1:8088 --user admin --password admin

Python's own library is enough. What was imported before is replaced.
"""

import argparse
import io
import json
import urllib.error
import urllib.parse
import urllib.request
import uuid
import zipfile
from http.cookiejar import CookieJar
from pathlib import Path

BUNDLE = Path(__file__).resolve().parent / "voxhouse"
DATABASE = "databases/Voxhouse.yaml"
UUID = "6f6f5c1e-6d3b-4c0e-9c61-0a54d3a1d001"
# Superset replaces all of a bundle of this type; of a bundle of type Dashboard it keeps the charts that it has.
TYPE = "type: assets"
# What Superset writes for a password in its exports, and replaces by the one that comes beside the bundle.
MASK = "XXXXXXXXXX"


class Refused(Exception):
    """What Superset said instead of doing it."""


class Superset:
    def __init__(self, address, user, password):
        self.address = address.rstrip("/")
        # The session's cookie belongs to the token that protects against forged requests.
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self.headers = {}
        log_in = {"username": user, "password": password, "provider": "db", "refresh": False}
        answer = self.call("POST", "security/login", json.dumps(log_in).encode(), "application/json")
        self.headers["Authorization"] = "Bearer " + answer["access_token"]
        self.headers["X-CSRFToken"] = self.call("GET", "security/csrf_token/")["result"]
        self.headers["Referer"] = self.address

    def call(self, method, path, body=None, content_type=None):
        headers = dict(self.headers)
        if content_type:
            headers["Content-Type"] = content_type
        request = urllib.request.Request(f"{self.address}/api/v1/{path}", body, headers, method=method)
        try:
            with self.opener.open(request) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise Refused(f"{method} {path}: {error.code} {error.read().decode(errors='replace')}") from None


def bundle(uri):
    """The folder as the zip file that Superset takes, with the address of the warehouse and without its password."""
    place = urllib.parse.urlsplit(uri)
    account, at, host = place.netloc.rpartition("@")
    masked = place._replace(netloc=account.partition(":")[0] + ":" + MASK + at + host).geturl()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for path in sorted(BUNDLE.rglob("*.yaml")):
            name, text = path.relative_to(BUNDLE).as_posix(), path.read_text(encoding="utf-8")
            if name == DATABASE:
                text = with_line(text, f"sqlalchemy_uri: {masked}")
            if name == "metadata.yaml":
                text = with_line(text, TYPE)
            out.writestr(f"voxhouse/{name}", text)
    return archive.getvalue(), urllib.parse.unquote(place.password or "")


def with_line(text, line):
    """The YAML with this line in the place of the one of the same key."""
    key = line.partition(":")[0]
    return "".join(f"{line}\n" if old.startswith(f"{key}:") else f"{old}\n" for old in text.splitlines())


def form(fields, file):
    """A body of multipart/form-data: the fields, and the zip file as `bundle`."""
    boundary = uuid.uuid4().hex
    parts = []
    for name, value in fields.items():
        parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    head = 'Content-Disposition: form-data; name="bundle"; filename="voxhouse.zip"\r\nContent-Type: application/zip'
    parts.append(f"--{boundary}\r\n{head}\r\n\r\n".encode() + file + f"\r\n--{boundary}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"


def import_dashboard(superset, uri):
    file, password = bundle(uri)
    body, content_type = form({"passwords": json.dumps({DATABASE: password})}, file)
    superset.call("POST", "assets/import/", body, content_type)
    reach(superset)


def reach(superset):
    """Superset imports without a look at the warehouse; this is the look."""
    databases = superset.call("GET", "database/?q=(page_size:100)")["result"]
    for database in databases:
        if database["uuid"] == UUID:
            superset.call("GET", f"database/{database['id']}/schemas/?q=(force:!t)")


def main():
    parser = argparse.ArgumentParser(description="Imports the dashboard into a Superset.")
    parser.add_argument("--voxhouse", required=True, help="postgresql+psycopg2://USER:PASSWORD@HOST:PORT/voxhouse")
    parser.add_argument("--superset", default="http://127.0.0.1:8088")
    parser.add_argument("--user", default="admin")
    parser.add_argument("--password", default="admin")
    options = parser.parse_args()
    try:
        import_dashboard(Superset(options.superset, options.user, options.password), options.voxhouse)
    except (Refused, OSError) as error:
        raise SystemExit(f"{options.superset}: {error}")
    print(f"{options.superset.rstrip('/')}/superset/dashboard/voxhouse/")


if __name__ == "__main__":
    main()
