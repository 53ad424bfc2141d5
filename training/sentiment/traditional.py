"""Pairs of traditional and simplified characters into models/traditional.bin.

Usage: traditional.py tra2sim_char.txt OUTPUT, the table of JioNLP (Apache-2.0).
"""
import struct
import sys

pairs = {}
with open(sys.argv[1], encoding="utf-8") as table:
    for line in table:
        cells = line.rstrip("\n").split("\t")
        if len(cells) == 2 and all(len(cell) == 1 and ord(cell) < 0x10000 for cell in cells):
            pairs[ord(cells[0])] = ord(cells[1])
with open(sys.argv[2], "wb") as out:
    for traditional in sorted(pairs):
        out.write(struct.pack("<HH", traditional, pairs[traditional]))
