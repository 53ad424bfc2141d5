"""The random numbers of the kernels' generator, so that golden data need not be stored."""
from scipy.stats import norm

MASK = (1 << 64) - 1


class Generator:
    def __init__(self, seed):
        self.state = seed

    def bits(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        v = self.state
        v = ((v ^ (v >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        v = ((v ^ (v >> 27)) * 0x94D049BB133111EB) & MASK
        return v ^ (v >> 31)

    def uniform(self):
        return ((self.bits() >> 12) + 0.5) / (1 << 52)

    def below(self, bound):
        return (self.bits() * bound) >> 64

    def normal(self):
        return float(norm.ppf(self.uniform()))


def write(name, rows):
    with open(name, "w") as out:
        for key, value in rows:
            out.write(f"{key},{float(value)!r}\n")
