//! Mediation: how much of an effect runs through something in between, as in the service-profit chain from
//! employees over customers to profit.
//!
//! Least squares of two equations, m = i₁ + a·x and y = i₂ + b·m + c′·x. The indirect effect is a·b, the direct
//! one c′, the total c = a·b + c′. Intervals are percentiles of a bootstrap over rows (Preacher and Hayes
//! 2008, Behavior Research Methods 40); Sobel's standard error √(a²s_b² + b²s_a²) is given beside them. The
//! share mediated is a·b/c, which means something only where both have the same sign.

use super::generator::Generator;
use super::rows::Rows;
use super::{Invalid, confidence};

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mediation {
    /// From x to m: a.
    pub(crate) first: Effect,
    /// From m to y, x held: b.
    pub(crate) second: Effect,
    pub(crate) indirect: Effect,
    pub(crate) direct: Effect,
    pub(crate) total: Effect,
    /// `None` where indirect and direct effect differ in sign.
    pub(crate) share_mediated: Option<f64>,
    pub(crate) sobel_error: f64,
    pub(crate) n: usize,
    /// Bootstrap samples that could be fitted.
    pub(crate) samples: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Effect {
    pub(crate) estimate: f64,
    /// Standard deviation over the bootstrap samples.
    pub(crate) std_error: f64,
    pub(crate) conf_low: f64,
    pub(crate) conf_high: f64,
}

/// Most rows times samples: minutes of work.
const MOST_WORK: u64 = 4_000_000_000;

/// Rows of values `[x, m, y]`: where it starts, what lies between, where it ends.
pub(crate) fn mediation(rows: &Rows, samples: u32, seed: u64, conf: f64) -> Result<Mediation, Invalid> {
    let conf = confidence(conf)?;
    if !(100..=100_000).contains(&samples) {
        return Err(Invalid::new(format!("number of samples {samples} is not from 100 to 100000")));
    }
    if rows.len() as u64 * u64::from(samples) > MOST_WORK {
        return Err(Invalid::new("rows times bootstrap samples exceed 4000000000")
            .with_hint("Average rows by store or month first, or ask for fewer samples."));
    }
    let points = standardised(rows)?;
    let fit = Paths::of(points.values.iter().copied());
    let Some(fit) = fit.filter(|_| points.values.len() >= 4) else {
        return Err(Invalid::new("the first and the middle variable cannot be told apart in these rows")
            .with_hint("It takes four rows, and a middle variable that the first one does not determine."));
    };
    let drawn = bootstrap(&points.values, samples, seed);
    let effect = |read: fn(&Paths) -> f64, unit: f64| {
        Effect::new(read(&fit) * unit, drawn.iter().map(|paths| read(paths) * unit).collect(), conf)
    };
    let [x, m, y] = points.scale;
    let (direct, indirect) = (fit.direct, fit.a * fit.b);
    Ok(Mediation {
        first: effect(|paths| paths.a, m / x),
        second: effect(|paths| paths.b, y / m),
        indirect: effect(|paths| paths.a * paths.b, y / x),
        direct: effect(|paths| paths.direct, y / x),
        total: effect(|paths| paths.a * paths.b + paths.direct, y / x),
        share_mediated: (direct * indirect >= 0.0 && indirect != 0.0).then(|| indirect / (indirect + direct)),
        sobel_error: fit.sobel_error() * y / x,
        n: points.values.len(),
        samples: drawn.len(),
    })
}

impl Effect {
    fn new(estimate: f64, mut drawn: Vec<f64>, conf: f64) -> Self {
        drawn.sort_unstable_by(f64::total_cmp);
        let n = drawn.len() as f64;
        let mean = drawn.iter().sum::<f64>() / n;
        let variance = drawn.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let tail = (1.0 - conf) / 2.0;
        let (conf_low, conf_high) = (quantile(&drawn, tail), quantile(&drawn, 1.0 - tail));
        Self { estimate, std_error: variance.sqrt(), conf_low, conf_high }
    }
}

/// The quantile between the sorted values next to it, linearly. NaN for none.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len().max(1) - 1) as f64;
    let at = |place: f64| sorted.get(place as usize).copied().unwrap_or(f64::NAN);
    let (low, high) = (at(place.floor()), at(place.ceil()));
    low + (high - low) * place.fract()
}

/// Rows of mean 0 and standard deviation 1, put in order so that samples do not depend on row order.
struct Standardised {
    values: Vec<[f64; 3]>,
    scale: [f64; 3],
}

fn standardised(rows: &Rows) -> Result<Standardised, Invalid> {
    let mut values = Vec::with_capacity(rows.len());
    for row in rows.order() {
        let &[x, m, y] = rows.values(row) else {
            return Err(Invalid::new("mediation takes three variables: first, middle and last"));
        };
        values.push([x, m, y]);
    }
    let n = values.len() as f64;
    let mut scale = [1.0; 3];
    for (column, scale) in scale.iter_mut().enumerate() {
        let mean = values.iter().map(|row| row[column]).sum::<f64>() / n;
        let variance = values.iter().map(|row| (row[column] - mean).powi(2)).sum::<f64>() / n;
        if variance > 0.0 {
            *scale = variance.sqrt();
        }
        values.iter_mut().for_each(|row| row[column] = (row[column] - mean) / *scale);
    }
    Ok(Standardised { values, scale })
}

/// Coefficients of the two equations with what their errors need.
#[derive(Debug, Clone, Copy)]
struct Paths {
    a: f64,
    b: f64,
    direct: f64,
    variance_a: f64,
    variance_b: f64,
}

impl Paths {
    /// `None` when x does not vary, or determines m.
    fn of(rows: impl Iterator<Item = [f64; 3]>) -> Option<Self> {
        let (mut n, mut sum, mut product) = (0.0, [0.0; 3], [0.0; 6]);
        for [x, m, y] in rows {
            n += 1.0;
            for (sum, part) in sum.iter_mut().zip([x, m, y]) {
                *sum += part;
            }
            for (sum, part) in product.iter_mut().zip([x * x, x * m, x * y, m * m, m * y, y * y]) {
                *sum += part;
            }
        }
        let [x, m, y] = sum;
        let [xx, xm, xy, mm, my, yy] = product;
        let (xx, xm, xy) = (xx - x * x / n, xm - x * m / n, xy - x * y / n);
        let (mm, my, yy) = (mm - m * m / n, my - m * y / n, yy - y * y / n);
        let determinant = xx * mm - xm * xm;
        if !(xx > 1e-10 * n && determinant > 1e-10 * xx * mm) {
            return None;
        }
        let a = xm / xx;
        let (b, direct) = ((xx * my - xm * xy) / determinant, (mm * xy - xm * my) / determinant);
        let rest_m = (mm - a * xm).max(0.0) / (n - 2.0);
        let rest_y = (yy - b * my - direct * xy).max(0.0) / (n - 3.0);
        Some(Self { a, b, direct, variance_a: rest_m / xx, variance_b: rest_y * xx / determinant })
    }

    fn sobel_error(&self) -> f64 {
        (self.a * self.a * self.variance_b + self.b * self.b * self.variance_a).sqrt()
    }
}

/// Fits of samples drawn with replacement. Samples in which nothing varies are drawn but not kept.
fn bootstrap(values: &[[f64; 3]], samples: u32, seed: u64) -> Vec<Paths> {
    let mut generator = Generator::new(seed);
    let fit = |_| {
        let draw = |_| values.get(generator.below(values.len())).copied().unwrap_or_default();
        Paths::of((0..values.len()).map(draw))
    };
    (0..samples).filter_map(fit).collect()
}

#[cfg(test)]
mod tests;
