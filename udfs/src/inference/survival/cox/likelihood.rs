//! The partial likelihood over rows in order of falling duration.

use crate::inference::Invalid;
use crate::inference::matrix::dot;
use crate::inference::rows::Rows;

/// Rows in order of falling duration, departures before censorings at the same duration.
pub(super) struct Sorted {
    size: usize,
    /// Standardised covariates, row after row.
    x: Vec<f64>,
    /// Ends of the runs of equal duration, and how many of the run's rows are departures.
    pub(super) runs: Vec<Run>,
    /// Standard deviations of the covariates.
    pub(super) scale: Vec<f64>,
    /// Position of each sorted row in the input.
    order: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) time: f64,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) events: usize,
}

/// Log likelihood with its gradient and the negative of its second derivatives.
pub(super) struct Evaluation {
    pub(super) log_likelihood: f64,
    pub(super) gradient: Vec<f64>,
    pub(super) information: Vec<f64>,
}

impl Sorted {
    pub(super) fn new(rows: &Rows) -> Result<Self, Invalid> {
        let size = rows.columns().saturating_sub(2);
        if size == 0 {
            return Err(Invalid::new("a Cox regression needs a duration, an event and a covariate"));
        }
        check(rows)?;
        let order = falling(rows);
        let (mean, scale) = standardise(rows, size);
        let mut sorted =
            Self { size, x: Vec::with_capacity(order.len() * size), runs: Vec::new(), scale, order };
        for (place, row) in sorted.order.iter().enumerate() {
            let values = rows.values(*row as usize);
            let x = values[2..].iter().zip(&mean).zip(&sorted.scale);
            sorted.x.extend(x.map(|((value, mean), scale)| (value - mean) / scale));
            let (time, event) = (values[0], usize::from(values[1] == 1.0));
            match sorted.runs.last_mut() {
                Some(run) if run.time == time => {
                    run.end = place + 1;
                    run.events += event;
                }
                _ => sorted.runs.push(Run { time, start: place, end: place + 1, events: event }),
            }
        }
        if sorted.events() == 0 {
            return Err(Invalid::new("there are no events").with_hint("Nobody leaves in these rows."));
        }
        Ok(sorted)
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    pub(super) fn events(&self) -> usize {
        self.runs.iter().map(|run| run.events).sum()
    }

    pub(super) fn x(&self, row: usize) -> &[f64] {
        &self.x[row * self.size..(row + 1) * self.size]
    }

    /// The first key of every sorted row.
    pub(super) fn clusters(&self, rows: &Rows) -> Result<Vec<u64>, Invalid> {
        let key = |row: &u32| rows.keys(*row as usize).first().copied();
        let keys: Option<Vec<u64>> = self.order.iter().map(key).collect();
        keys.ok_or_else(|| Invalid::new("rows have no cluster"))
    }

    pub(super) fn evaluate(&self, beta: &[f64]) -> Evaluation {
        let mut sums = Sums::new(self.size);
        let mut departures = Sums::new(self.size);
        let mut out = Evaluation {
            log_likelihood: 0.0,
            gradient: vec![0.0; self.size],
            information: vec![0.0; self.size * self.size],
        };
        for run in &self.runs {
            let mut linear = 0.0;
            departures.clear();
            for row in run.start..run.end {
                let x = self.x(row);
                let eta = dot(x, beta);
                let risk = eta.exp();
                if row < run.start + run.events {
                    linear += eta;
                    departures.add(x, risk);
                    out.gradient.iter_mut().zip(x).for_each(|(gradient, x)| *gradient += x);
                } else {
                    sums.add(x, risk);
                }
            }
            if run.events > 0 {
                sums.merge(&departures);
                out.log_likelihood += linear;
                out.add_ties(&sums, &departures, run.events, self.size);
            }
        }
        out.mirror(self.size);
        out
    }
}

impl Evaluation {
    /// What a run of `events` equal durations adds: the departures leave the risk set in equal parts.
    fn add_ties(&mut self, sums: &Sums, departures: &Sums, events: usize, size: usize) {
        // Σ 1/φ, Σ f/φ, Σ 1/φ², Σ f/φ², Σ f²/φ² over f = 0, 1/d, … with φ = Σr − f Σ_departures r.
        let mut parts = [0.0; 5];
        for event in 0..events {
            let share = event as f64 / events as f64;
            let total = sums.risk - share * departures.risk;
            let inverse = 1.0 / total;
            self.log_likelihood -= total.ln();
            parts[0] += inverse;
            parts[1] += share * inverse;
            parts[2] += inverse * inverse;
            parts[3] += share * inverse * inverse;
            parts[4] += share * share * inverse * inverse;
        }
        let (first, second) = (&sums.first, &departures.first);
        let mut cell = 0;
        for a in 0..size {
            self.gradient[a] -= parts[0] * first[a] - parts[1] * second[a];
            for b in 0..=a {
                let outer = parts[2] * first[a] * first[b]
                    - parts[3] * (first[a] * second[b] + second[a] * first[b])
                    + parts[4] * second[a] * second[b];
                self.information[a * size + b] +=
                    parts[0] * sums.second[cell] - parts[1] * departures.second[cell] - outer;
                cell += 1;
            }
        }
    }

    fn mirror(&mut self, size: usize) {
        for a in 0..size {
            for b in 0..a {
                self.information[b * size + a] = self.information[a * size + b];
            }
        }
    }
}

/// Sums of r, r·x and the lower triangle of r·xxᵀ.
#[derive(Debug, Clone)]
struct Sums {
    risk: f64,
    first: Vec<f64>,
    second: Vec<f64>,
}

impl Sums {
    fn new(size: usize) -> Self {
        Self { risk: 0.0, first: vec![0.0; size], second: vec![0.0; size * (size + 1) / 2] }
    }

    fn clear(&mut self) {
        self.risk = 0.0;
        self.first.fill(0.0);
        self.second.fill(0.0);
    }

    /// The few covariates of most models are added by loops of fixed length.
    fn add(&mut self, x: &[f64], risk: f64) {
        match x.len() {
            2 => self.add_fixed::<2>(x, risk),
            3 => self.add_fixed::<3>(x, risk),
            4 => self.add_fixed::<4>(x, risk),
            5 => self.add_fixed::<5>(x, risk),
            6 => self.add_fixed::<6>(x, risk),
            _ => self.add_any(x, risk),
        }
    }

    #[inline]
    fn add_fixed<const N: usize>(&mut self, x: &[f64], risk: f64) {
        if let Some(x) = x.first_chunk::<N>() {
            self.add_any(x, risk);
        }
    }

    #[inline(always)]
    fn add_any(&mut self, x: &[f64], risk: f64) {
        self.risk += risk;
        let (first, mut second) =
            (&mut self.first[..x.len()], &mut self.second[..x.len() * (x.len() + 1) / 2]);
        for (a, left) in x.iter().enumerate() {
            let weighted = risk * left;
            first[a] += weighted;
            let (row, rest) = second.split_at_mut(a + 1);
            row.iter_mut().zip(x).for_each(|(sum, right)| *sum += weighted * right);
            second = rest;
        }
    }

    fn merge(&mut self, other: &Self) {
        self.risk += other.risk;
        self.first.iter_mut().zip(&other.first).for_each(|(sum, part)| *sum += part);
        self.second.iter_mut().zip(&other.second).for_each(|(sum, part)| *sum += part);
    }
}

fn check(rows: &Rows) -> Result<(), Invalid> {
    if u32::try_from(rows.len()).is_err() {
        return Err(Invalid::new("a Cox regression takes at most 4294967295 rows"));
    }
    for row in 0..rows.len() {
        let values = rows.values(row);
        if values[0] < 0.0 {
            return Err(Invalid::new(format!("duration {} is negative", values[0])));
        }
        if values[1] != 0.0 && values[1] != 1.0 {
            return Err(Invalid::new(format!("event {} is neither 0 nor 1", values[1])));
        }
    }
    Ok(())
}

/// Row numbers by falling duration, departures first.
fn falling(rows: &Rows) -> Vec<u32> {
    // Non-negative doubles order like their bits.
    let key = |row: usize| {
        let values = rows.values(row);
        (!(values[0] + 0.0).to_bits(), values[1] != 1.0)
    };
    let mut order: Vec<((u64, bool), u32)> = (0..rows.len()).map(|row| (key(row), row as u32)).collect();
    order.sort_unstable();
    order.into_iter().map(|(_, row)| row).collect()
}

/// Means and standard deviations of the covariates; 1 for a constant, which the fit then refuses.
fn standardise(rows: &Rows, size: usize) -> (Vec<f64>, Vec<f64>) {
    let n = rows.len() as f64;
    let mut mean = vec![0.0; size];
    let mut squares = vec![0.0; size];
    for row in 0..rows.len() {
        mean.iter_mut().zip(&rows.values(row)[2..]).for_each(|(mean, x)| *mean += x / n);
    }
    for row in 0..rows.len() {
        let deviations = rows.values(row)[2..].iter().zip(&mean).map(|(x, mean)| x - mean);
        squares.iter_mut().zip(deviations).for_each(|(sum, deviation)| *sum += deviation * deviation / n);
    }
    let scale = squares.iter().map(|square| if *square > 0.0 { square.sqrt() } else { 1.0 }).collect();
    (mean, scale)
}
