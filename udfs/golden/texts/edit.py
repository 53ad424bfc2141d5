"""Makes edit.csv: distances of random pairs by rapidfuzz (PyPI), over characters. Columns: a, b, levenshtein, osa, jaro_winkler."""
import csv, random
from rapidfuzz.distance import OSA, JaroWinkler, Levenshtein

R = random.Random(7)
ALPHABETS = ["张李王伟芳明小", "abcd", "0123456789", "北京市海淀区中关村大街号a1"]
with open(__file__.replace(".py", ".csv"), "w", newline="", encoding="utf-8") as out:
    write = csv.writer(out)
    write.writerow(["a", "b", "levenshtein", "osa", "jaro_winkler"])
    for n in range(600):
        alphabet = R.choice(ALPHABETS)
        most = 90 if n % 20 == 0 else 14
        a = "".join(R.choice(alphabet) for _ in range(R.randint(0, most)))
        b = list(a)
        for _ in range(R.randint(0, 5)):
            i = R.randint(0, len(b))
            what = R.randint(0, 3)
            if what == 0: b.insert(i, R.choice(alphabet))
            elif what == 1 and b: b.pop(i % len(b))
            elif what == 2 and b: b[i % len(b)] = R.choice(alphabet)
            elif len(b) > 1: j = i % (len(b) - 1); b[j], b[j + 1] = b[j + 1], b[j]
        b = "".join(b) if R.random() < .8 else "".join(R.choice(alphabet) for _ in range(R.randint(0, most)))
        write.writerow([a, b, Levenshtein.distance(a, b), OSA.distance(a, b), f"{JaroWinkler.similarity(a, b):.12f}"])
