"""The survey of voice customers as CSV, for the pipe: python3 to_csv.py FOLDER > voice.csv

Reads the first sheet of the workbook, whose rows are customers. Two headings come twice ("其他，请注明", "用户描述"); the
second of each gets a 2.
"""

import csv
import os
import re
import sys
import xml.etree.ElementTree as tree
import zipfile

WORKBOOK = "附件1语音业务用户满意度数据.xlsx"
SPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def place(reference):
    """The number of a column, from 0: A1 is 0, AB7 is 27."""
    number = 0
    for letter in re.match("[A-Z]+", reference).group():
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1


def rows(folder):
    book = zipfile.ZipFile(os.path.join(folder, WORKBOOK))
    shared = ["".join(text.text or "" for text in item.iter(SPACE + "t"))
              for item in tree.fromstring(book.read("xl/sharedStrings.xml"))]
    for row in tree.fromstring(book.read("xl/worksheets/sheet1.xml")).iter(SPACE + "row"):
        cells = {}
        for cell in row:
            value = cell.find(SPACE + "v")
            if value is not None:
                is_shared = cell.get("t") == "s"
                cells[place(cell.get("r"))] = shared[int(value.text)] if is_shared else value.text
        yield cells


def table(folder):
    """Headings, and the customers as lists of texts."""
    head, *customers = rows(folder)
    names = [head[column] for column in sorted(head)]
    names = [name if name not in names[:column] else name + "2" for column, name in enumerate(names)]
    return names, [[cells.get(column, "") for column in range(len(names))] for cells in customers if 0 in cells]


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    names, customers = table(sys.argv[1])
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(names)
    out.writerows(customers)
