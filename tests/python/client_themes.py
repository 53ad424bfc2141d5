"""Causes of differences in the groups in which they would be worked on."""

import re
from collections import defaultdict

# The first that matches counts.
THEMES = [
    ("follows from a CREATE that failed", r"follows from|^(relation|table) \"(dbt|crm|#|scratch|frame|airbyte)"),
    ("DDL and DML inside a transaction, temporary tables", r"inside a transaction block|temporary tables"),
    ("set-returning catalog functions", r"table function"),
    ("JSON: building, operators, types", r"json|#>>"),
    ("xmin and ctid", r"column \"(xmin|ctid)\"|\btid\b"),
    ("settings that are not known, set_config", r"unrecognized configuration|set_config"),
    ("arrays: functions, subscripts of int2vector, operators", r"array_lower|_pg_expandarray|array|List\(|type bigint: \"\{|PGOverlap|regexp_split"),
    ("scalar functions that do not exist", r"function (\w+\.)?\w+.* does not exist"),
    ("COPY", r"^COPY"),
    ("subqueries that the planner refuses", r"subquery|null_aware|correlated"),
    ("a literal or a sum is int8 and not int4", r"type is int8 and not int4"),
    ("expressions are text and not name, regclass, aclitem[], \"char\" …", r"^type is (text|_text|name|varchar|char)\b"),
    ("other types of expressions", r"^type is"),
    ("column labels", r"column is called"),
    ("contents of the catalog", r"rows are missing|no rows \(pg_|other rows.*pg_|too many rows"),
    ("definitions written back, owners, sizes, privileges, comments",
     r"rows differ in column.*(viewdef|constraintdef|anon_1|consrc|condef|expr|default|owner|ize|acl|privileges|escription)"),
    ("rows of queries", r"rows differ|no rows|rows in another|number of them"),
    ("another SQLSTATE", r"for PostgreSQL's"),
    ("command tags", r"command tag"),
    ("dialect: RETURNING, ON CONFLICT, MOVE, casts, formats, coercion", r""),
]


def grouped(failures):
    """Theme and failures, the largest first."""
    groups = defaultdict(list)
    for failure in failures:
        if failure["kind"] != "left out":
            theme = next(name for name, pattern in THEMES if re.search(pattern, failure["cause"], re.I))
            groups[theme].append(failure)
    return sorted(groups.items(), key=lambda group: -len(group[1]))
