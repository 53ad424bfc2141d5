//! Correlation of ranks: Spearman's ρ and Kendall's τ-b.
//!
//! ρ is Pearson's correlation of average ranks; p value from t = ρ√((n − 2)/(1 − ρ²)) with n − 2 degrees of
//! freedom. τ-b is (concordant − discordant)/√((n₀ − n₁)(n₀ − n₂)) with n₀ pairs, n₁ of them tied in x and n₂
//! in y; p value by the normal distribution with the variance for ties (Kendall 1970). Intervals by Fisher's z
//! with the variances (1 + ρ²/2)/(n − 3) and 0.437/(n − 4) of Bonett and Wright (2000), Psychometrika 65(1).
//!
//! Distinct pairs are counted, discordant ones with a Fenwick tree: O(m log m) for m distinct pairs.

use super::bytes::{Reader, Writer};
use super::tails::{Reference, normal_p};
use super::tally::{Tally, number, ordered};
use super::{Invalid, check_confidence};

/// How often every pair of values occurs.
#[derive(Debug, Clone)]
pub(crate) struct Pairs {
    skipped: u64,
    counts: Tally<(u64, u64), u64>,
}

/// A correlation of ranks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RankCorrelation {
    pub(crate) n_obs: u64,
    /// `None` if either column is constant, or without rows.
    pub(crate) estimate: Option<f64>,
    /// t for Spearman, z for Kendall; `None` where it is not defined, as for ρ of ±1.
    pub(crate) statistic: Option<f64>,
    pub(crate) p_value: Option<f64>,
    /// `None` for fewer than five rows.
    pub(crate) conf_low: Option<f64>,
    pub(crate) conf_high: Option<f64>,
}

impl Pairs {
    pub(crate) fn new() -> Self {
        Self { skipped: 0, counts: Tally::new() }
    }

    /// Rows in which either value is not finite are left out.
    pub(crate) fn update(&mut self, y: &[f64], x: &[f64]) -> Result<(), Invalid> {
        if y.len() != x.len() {
            return Err(Invalid::new("columns of a batch are not equally long"));
        }
        for (&y, &x) in y.iter().zip(x) {
            if x.is_finite() && y.is_finite() {
                self.counts.add((ordered(x), ordered(y)), 1);
            } else {
                self.skipped += 1;
            }
        }
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.skipped += other.skipped;
        self.counts.merge(&other.counts);
    }

    /// Rows left out.
    pub(crate) fn skipped(&self) -> u64 {
        self.skipped
    }

    pub(crate) fn spearman(&self, conf: f64) -> Result<RankCorrelation, Invalid> {
        check_confidence(conf)?;
        let ranked = Ranked::new(&self.counts.sums());
        let n = ranked.rows as f64;
        let (mut own_x, mut own_y, mut both) = (0.0, 0.0, 0.0);
        let centre = (n + 1.0) / 2.0;
        for &(x, y, count) in &ranked.pairs {
            let (x, y, count) = (ranked.x[x].rank - centre, ranked.y[y].rank - centre, count as f64);
            own_x += count * x * x;
            own_y += count * y * y;
            both += count * x * y;
        }
        let estimate = (own_x > 0.0 && own_y > 0.0).then(|| (both / (own_x * own_y).sqrt()).clamp(-1.0, 1.0));
        let statistic = estimate
            .filter(|rho| n > 2.0 && rho.abs() < 1.0)
            .map(|rho| rho * ((n - 2.0) / ((1.0 - rho) * (1.0 + rho))).sqrt());
        let p_value = statistic.map(|t| Reference::Student(n - 2.0).p_value(t));
        let error = |rho: f64| ((1.0 + rho * rho / 2.0) / (n - 3.0)).sqrt();
        Ok(with_interval(ranked.rows, estimate, statistic, p_value, conf, error))
    }

    pub(crate) fn kendall(&self, conf: f64) -> Result<RankCorrelation, Invalid> {
        check_confidence(conf)?;
        let ranked = Ranked::new(&self.counts.sums());
        let n = ranked.rows as f64;
        let pairs = n * (n - 1.0) / 2.0;
        let (x, y) = (Ties::of(&ranked.x), Ties::of(&ranked.y));
        let score = ranked.concordant_less_discordant();
        let estimate = (pairs > x.pairs && pairs > y.pairs)
            .then(|| (score / ((pairs - x.pairs) * (pairs - y.pairs)).sqrt()).clamp(-1.0, 1.0));
        let variance = (n * (n - 1.0) * (2.0 * n + 5.0) - x.fives - y.fives) / 18.0
            + x.pairs * y.pairs / pairs
            + x.triples * y.triples / (18.0 * pairs * (n - 2.0));
        let statistic = estimate.filter(|_| n > 2.0 && variance > 0.0).map(|_| score / variance.sqrt());
        let p_value = statistic.map(normal_p);
        let error = |_: f64| (0.437 / (n - 4.0)).sqrt();
        Ok(with_interval(ranked.rows, estimate, statistic, p_value, conf, error))
    }

    pub(crate) fn size(&self) -> usize {
        size_of::<u64>() + self.counts.size()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let sums = self.counts.sums();
        let mut writer = Writer::default();
        writer.integer(self.skipped);
        writer.integer(sums.len() as u64);
        for ((x, y), count) in sums {
            writer.numbers(&[number(x), number(y)]);
            writer.integer(count);
        }
        writer.finish()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes);
        let mut pairs = Self { skipped: reader.integer()?, counts: Tally::new() };
        for _ in 0..reader.count(24)? {
            let key = (ordered(reader.number()?), ordered(reader.number()?));
            pairs.counts.add(key, reader.integer()?);
        }
        reader.finish()?;
        Ok(pairs)
    }
}

fn with_interval(
    n_obs: u64,
    estimate: Option<f64>,
    statistic: Option<f64>,
    p_value: Option<f64>,
    conf: f64,
    error: impl Fn(f64) -> f64,
) -> RankCorrelation {
    let ends = estimate.filter(|_| n_obs >= 5).map(|estimate| {
        let half = Reference::Normal.quantile(conf) * error(estimate);
        ((estimate.atanh() - half).tanh(), (estimate.atanh() + half).tanh())
    });
    let (conf_low, conf_high) = (ends.map(|ends| ends.0), ends.map(|ends| ends.1));
    RankCorrelation { n_obs, estimate, statistic, p_value, conf_low, conf_high }
}

/// A distinct value: how often it occurs, and its average rank.
#[derive(Debug, Clone, Copy)]
struct Value {
    count: u64,
    rank: f64,
}

/// Pairs with their values replaced by their places among the distinct values.
struct Ranked {
    rows: u64,
    /// Sorted by x, then by y.
    pairs: Vec<(usize, usize, u64)>,
    x: Vec<Value>,
    y: Vec<Value>,
}

impl Ranked {
    fn new(sums: &[((u64, u64), u64)]) -> Self {
        let mut by_y: Vec<(u64, usize)> =
            sums.iter().enumerate().map(|(place, sum)| (sum.0.1, place)).collect();
        by_y.sort_unstable();
        let counts = |place: usize| sums[place].1;
        let (x_places, x) = distinct(sums.iter().enumerate().map(|(place, sum)| (sum.0.0, place)), counts);
        let (y_places, y) = distinct(by_y.into_iter(), counts);
        let pairs = (0..sums.len()).map(|place| (x_places[place], y_places[place], counts(place))).collect();
        Self { rows: sums.iter().map(|sum| sum.1).sum(), pairs, x, y }
    }

    fn concordant_less_discordant(&self) -> f64 {
        let mut seen = Fenwick::new(self.y.len());
        let mut total = 0u64;
        let mut score = 0i128;
        for group in self.pairs.chunk_by(|a, b| a.0 == b.0) {
            for &(_, y, count) in group {
                let below = seen.up_to(y);
                let above = total - seen.up_to(y + 1);
                score += i128::from(count) * (i128::from(below) - i128::from(above));
            }
            for &(_, y, count) in group {
                seen.add(y, count);
                total += count;
            }
        }
        score as f64
    }
}

/// From values in order and where they come from: for every origin the place of its value among the distinct
/// values, and these.
fn distinct(
    values: impl ExactSizeIterator<Item = (u64, usize)>,
    count: impl Fn(usize) -> u64,
) -> (Vec<usize>, Vec<Value>) {
    let mut places = vec![0; values.len()];
    let mut found: Vec<Value> = Vec::new();
    let mut last = None;
    for (value, origin) in values {
        if last != Some(value) {
            found.push(Value { count: 0, rank: 0.0 });
            last = Some(value);
        }
        places[origin] = found.len() - 1;
        if let Some(value) = found.last_mut() {
            value.count += count(origin);
        }
    }
    let mut below = 0.0;
    for value in &mut found {
        let count = value.count as f64;
        value.rank = below + (count + 1.0) / 2.0;
        below += count;
    }
    (places, found)
}

/// Σ t(t − 1)/2, Σ t(t − 1)(t − 2) and Σ t(t − 1)(2t + 5) over the values, t being how often each occurs.
struct Ties {
    pairs: f64,
    triples: f64,
    fives: f64,
}

impl Ties {
    fn of(values: &[Value]) -> Self {
        let mut ties = Self { pairs: 0.0, triples: 0.0, fives: 0.0 };
        for value in values {
            let t = value.count as f64;
            ties.pairs += t * (t - 1.0) / 2.0;
            ties.triples += t * (t - 1.0) * (t - 2.0);
            ties.fives += t * (t - 1.0) * (2.0 * t + 5.0);
        }
        ties
    }
}

/// Sums of prefixes that change (Fenwick 1994).
struct Fenwick {
    sums: Vec<u64>,
}

impl Fenwick {
    fn new(size: usize) -> Self {
        Self { sums: vec![0; size + 1] }
    }

    fn add(&mut self, place: usize, value: u64) {
        let mut node = place + 1;
        while let Some(sum) = self.sums.get_mut(node) {
            *sum += value;
            node += node & node.wrapping_neg();
        }
    }

    /// The sum of the places before `end`.
    fn up_to(&self, end: usize) -> u64 {
        let (mut node, mut sum) = (end, 0);
        while node > 0 {
            sum += self.sums[node];
            node &= node - 1;
        }
        sum
    }
}

#[cfg(test)]
mod tests;
