"""Superset as the tests need it: everything in one folder, nothing but SQLite, no cache that could hide a query."""

import os
from datetime import timedelta

FOLDER = os.environ["SUPERSET_HOME"]
SECRET_KEY = os.environ["SUPERSET_SECRET_KEY"]
SQLALCHEMY_DATABASE_URI = f"sqlite:///{FOLDER}/superset.db?timeout=60"
# The tests speak to the API with a token; forms are not used.
WTF_CSRF_ENABLED = False
JWT_ACCESS_TOKEN_EXPIRES = timedelta(hours=12)
TALISMAN_ENABLED = False
# Counted per address, and all of the tests come from one.
RATELIMIT_ENABLED = False
AUTH_RATE_LIMITED = False
CACHE_CONFIG = DATA_CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}
SQLLAB_TIMEOUT = SUPERSET_WEBSERVER_TIMEOUT = 120
