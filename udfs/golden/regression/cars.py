"""Checks relative weights and Shapley values of cars.csv (Motor Trend 1974) by adding up their definitions.

The same relative weights stand in the README and the vignette of the R package rwa.
"""
import itertools
import math
import os

import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
data = np.genfromtxt(f"{here}/cars.csv", delimiter=",", names=True)


def correlations(names, weight):
    z = np.column_stack([data[name] for name in ["mpg", *names]])
    return np.cov(z.T, aweights=weight) / np.sqrt(np.outer(*[np.diag(np.cov(z.T, aweights=weight))] * 2))


def relative_weights(names, weight):
    r = correlations(names, weight)
    values, vectors = np.linalg.eigh(r[1:, 1:])
    root = vectors @ np.diag(np.sqrt(values)) @ vectors.T
    return (root**2) @ np.linalg.solve(root, r[1:, 0]) ** 2


def shapley(names, weight):
    r = correlations(names, weight)

    def explained(subset):
        s = list(subset)
        return r[0, s] @ np.linalg.solve(r[np.ix_(s, s)], r[s, 0]) if s else 0.0

    k = len(names)
    values = []
    for j in range(1, k + 1):
        others = [i for i in range(1, k + 1) if i != j]
        values.append(sum(math.factorial(n) * math.factorial(k - n - 1) / math.factorial(k)
                          * (explained((*s, j)) - explained(s))
                          for n in range(k) for s in itertools.combinations(others, n)))
    return values


four, three = ["cyl", "disp", "hp", "gear"], ["hp", "wt", "disp"]
equal, weights = np.ones(32), np.tile([1.0, 2.0, 5.0, 3.0], 8)
print(four, relative_weights(four, equal), relative_weights(four, equal).sum())
print(three, relative_weights(three, weights), relative_weights(three, weights).sum())
print(four, shapley(four, equal))
