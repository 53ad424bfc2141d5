"""Linear baselines of scikit-learn on the same split (text file: domain, label, test, group, text)."""
import sys, re, numpy as np, jieba
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.svm import LinearSVC
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize
import scipy.sparse as sp
jieba.setLogLevel(60)
rows = [l.rstrip("\n").split("\t") for l in open(sys.argv[1], encoding="utf-8")]
dom = np.array([r[0] for r in rows]); y = np.array([int(r[1]) for r in rows]); test = np.array([r[2] == "1" for r in rows])
grp = np.array([int(r[3]) for r in rows]); text = [re.sub(r"\s+", "", r[4].lower()) for r in rows]
words = [" ".join(jieba.lcut(t)) for t in text]

def vec(kind, tr):
    if kind == "char14": v = CountVectorizer(analyzer="char", ngram_range=(1, 4), min_df=2, binary=True); src = text
    elif kind == "char13": v = CountVectorizer(analyzer="char", ngram_range=(1, 3), min_df=2, binary=True); src = text
    else: v = CountVectorizer(analyzer="word", token_pattern=r"\S+", ngram_range=(1, 2), min_df=2, binary=True); src = words
    v.fit([src[i] for i in np.where(tr)[0]]); return v.transform(src).tocsr()

def nb(X, y, tr):
    p = 1 + X[tr & (y == 1)].sum(0).A1 if hasattr(X[tr].sum(0), "A1") else 1 + np.asarray(X[tr & (y == 1)].sum(0)).ravel()
    q = 1 + np.asarray(X[tr & (y == 0)].sum(0)).ravel()
    return np.log((p / p.sum()) / (q / q.sum()))

def run(name, X, tr, te, y, svm=True, C=1.0):
    m = LinearSVC(C=C) if svm else LogisticRegression(C=C, solver="liblinear")
    m.fit(X[tr], y[tr]); return (m.predict(X[te]) == y[te]).mean()

def splits():
    g = set(grp[test]); yield "in", ~test & ~np.isin(grp, list(g)), test
    if len(sys.argv) > 2:
        for d in sorted(set(dom)):
            te = dom == d; g = set(grp[te]); yield d, ~te & ~np.isin(grp, list(g)), te
res = {}
for s, tr, te in splits():
    W, K = vec("word12", tr), vec("char14", tr)
    cand = {"svm word12": (normalize(W), 0.5), "nbsvm word12": (normalize(W).multiply(nb(W, y, tr)).tocsr(), 1.0),
            "nbsvm char14": (normalize(K).multiply(nb(K, y, tr)).tocsr(), 1.0),
            "nbsvm word12+char14": (sp.hstack([normalize(W).multiply(nb(W, y, tr)), normalize(K).multiply(nb(K, y, tr))]).tocsr(), 0.5)}
    for k, (X, C) in cand.items():
        a = run(k, X, tr, te, y, True, C); res.setdefault(k, {})[s] = a; print(s, k, round(a, 4), flush=True)
for k, v in res.items():
    l = [a for s, a in v.items() if s != "in"]
    print(k, "in", round(v["in"], 4), "left out", round(float(np.mean(l)), 4) if l else None)
