"""Holds the dependency tree to deny.toml: its licences, and one version of the crates whose types travel.

Run at the root of the repository: python3 tests/check_dependencies.py [MANIFEST]
Another workspace than that of the root is held to the licences only.
"""

import json
import re
import subprocess
import sys
from collections import defaultdict


def rules():
    """The allowed licences and the crates of one version, read without a TOML parser: Python 3.9 has none."""
    text = re.sub(r"#.*", "", open("deny.toml", encoding="utf-8").read())
    allow = re.search(r"^allow = \[(.*?)^\]", text, re.S | re.M).group(1)
    single = re.findall(r'crate = "([^"]+)", deny-multiple-versions = true', text)
    return set(re.findall(r'"([^"]+)"', allow)), single


class Expression:
    """An SPDX licence expression: OR, AND, WITH, parentheses; older manifests write / for OR."""

    def __init__(self, text, allowed):
        self.words = re.findall(r"[()]|[^\s()]+", text.replace("/", " OR "))
        self.allowed = allowed

    def holds(self):
        value = self.either()
        assert not self.words, self.words
        return value

    def take(self, word):
        if self.words and self.words[0] == word:
            return self.words.pop(0)

    def either(self):
        value = self.both()
        while self.take("OR"):
            value = self.both() or value
        return value

    def both(self):
        value = self.one()
        while self.take("AND"):
            value = self.one() and value
        return value

    def one(self):
        if self.take("("):
            value = self.either()
            assert self.take(")")
            return value
        name = self.words.pop(0)
        if self.take("WITH"):
            name = f"{name} WITH {self.words.pop(0)}"
        return name in self.allowed


def main():
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    is_root = len(sys.argv) == 1
    if not is_root:
        command += ["--manifest-path", sys.argv[1]]
    packages = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["packages"]
    allowed, single = rules()
    faults, versions = [], defaultdict(set)
    for package in packages:
        versions[package["name"]].add(package["version"])
        licence = package["license"]
        if not licence or not Expression(licence, allowed).holds():
            faults.append(f"{package['name']} {package['version']}: licence {licence} is not in deny.toml")
    single = single if is_root else []
    for name in single:
        if len(versions[name]) != 1:
            faults.append(f"{name}: versions {', '.join(sorted(versions[name])) or 'none'}, there must be one")
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        sys.exit(1)
    print(f"{len(packages)} packages, all licences are allowed")
    if single:
        print(f"one version each of {', '.join(single)}")


if __name__ == "__main__":
    main()
