"""Fails on a dependency whose licence is not known to be acceptable, and on a second version of what must be one."""

import json
import re
import subprocess
import sys

ALLOWED = {
    "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0",
    "CDLA-Permissive-2.0", "ISC", "MIT", "MIT-0", "OpenSSL", "Unicode-3.0", "Unicode-DFS-2016", "Unlicense", "Zlib",
    "MPL-2.0", "bzip2-1.0.6",
}
ONE_VERSION = {"arrow", "datafusion", "object_store", "parquet", "sqlparser"}


def acceptable(expression: str) -> bool:
    """Reads an SPDX expression: every side of AND, any side of OR."""
    expression = expression.replace("/", " OR ").replace("(", " ( ").replace(")", " ) ")
    expression = re.sub(r"Apache-2.0 WITH LLVM-exception", "Apache-2.0", expression)
    words = [word for word in expression.split() if word]
    python = []
    for word in words:
        if word in ("(", ")"):
            python.append(word)
        elif word in ("AND", "OR"):
            python.append(word.lower())
        else:
            python.append(str(word in ALLOWED))
    return bool(eval(" ".join(python), {"__builtins__": {}}))  # Only True, False, and, or and parentheses.


def main() -> int:
    told = subprocess.run(
        ["cargo", "metadata", "--format-version", "1", "--locked"], check=True, capture_output=True, text=True
    )
    packages = json.loads(told.stdout)["packages"]
    faults = []
    for package in packages:
        licence = package["license"]
        if licence is None and package["license_file"]:
            continue
        if licence is None or not acceptable(licence):
            faults.append(f"{package['name']} {package['version']}: licence {licence}")
    for name in ONE_VERSION:
        versions = {package["version"] for package in packages if package["name"] == name}
        if len(versions) != 1:
            faults.append(f"{name} has the versions {sorted(versions)}")
    for fault in faults:
        print(fault)
    print(f"{len(packages)} packages, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
