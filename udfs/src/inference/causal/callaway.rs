//! Effects of a treatment that units take up at different times: Callaway and Sant'Anna (2021), Journal of
//! Econometrics 225, without covariates.
//!
//! ATT(g, t) of the units first treated in g is their mean change of the outcome from the base period to t less
//! that of the controls. The base is the last period before g, or for t before g the period before t. Units
//! first treated in the first period or before have no base and are left out. Errors come from influence
//! functions, clustered by unit, with the estimated group shares allowed for where effects are averaged.

use super::panel::{Ordered, Panel};
use super::{Effect, Errors};
use crate::inference::{Invalid, confidence};

/// Whom treated units are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Controls {
    NeverTreated,
    /// Never treated, or first treated after both periods compared.
    NotYetTreated,
}

impl Controls {
    pub(crate) fn parse(name: &str) -> Result<Self, Invalid> {
        match name {
            "never" => Ok(Self::NeverTreated),
            "not_yet" => Ok(Self::NotYetTreated),
            _ => Err(Invalid::new(format!("control group {name} does not exist"))
                .with_hint("Control groups are never and not_yet.")),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Staggered {
    pub(crate) cells: Vec<Cell>,
    /// Average over all cells with t ≥ g, weighted by the size of g.
    pub(crate) overall: Option<Effect>,
    /// Average by t − g, weighted by the size of g.
    pub(crate) by_distance: Vec<(i64, Effect)>,
    pub(crate) units: usize,
    pub(crate) treated_units: usize,
}

/// ATT(g, t).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cell {
    pub(crate) group: i64,
    pub(crate) period: i64,
    pub(crate) effect: Effect,
    pub(crate) treated: usize,
    pub(crate) controls: usize,
}

/// Most cells times units: the influence of every unit on every cell is held in memory.
const MOST_CELLS: usize = 100_000_000;

pub(crate) fn staggered(panel: &Panel, controls: Controls, conf: f64) -> Result<Staggered, Invalid> {
    let conf = confidence(conf)?;
    let wide = Wide::new(&panel.ordered()?)?;
    let groups: Vec<i64> =
        wide.groups.iter().copied().filter(|g| wide.periods.first().is_some_and(|p| g > p)).collect();
    if groups.len() * wide.periods.len() * wide.units() > MOST_CELLS {
        return Err(Invalid::new("units times groups times periods exceed 100000000")
            .with_hint("Use longer periods, or leave units out."));
    }
    let mut found = Vec::new();
    for group in &groups {
        for period in 1..wide.periods.len() {
            found.extend(wide.estimate(*group, period, controls));
        }
    }
    if found.is_empty() {
        return Err(Invalid::new("no treated unit can be compared with an untreated one")
            .with_hint("It takes units treated after the first period, and others not treated by then."));
    }
    let after: Vec<usize> = (0..found.len()).filter(|&i| found[i].distance >= 0).collect();
    let mut distances: Vec<i64> = found.iter().map(|estimate| estimate.distance).collect();
    distances.sort_unstable();
    distances.dedup();
    let at = |distance: i64| -> Vec<usize> {
        (0..found.len()).filter(|&i| found[i].distance == distance).collect()
    };
    Ok(Staggered {
        overall: (!after.is_empty()).then(|| wide.average(&found, &after, conf)),
        by_distance: distances.iter().map(|&d| (d, wide.average(&found, &at(d), conf))).collect(),
        cells: found.iter().map(|estimate| estimate.cell(&wide, conf)).collect(),
        units: wide.units(),
        treated_units: wide.starts.iter().filter(|start| start.is_some_and(|s| groups.contains(&s))).count(),
    })
}

/// Outcomes by unit and period, NaN where a unit was not seen.
struct Wide {
    outcomes: Vec<f64>,
    periods: Vec<i64>,
    starts: Vec<Option<i64>>,
    groups: Vec<i64>,
    spread: f64,
}

/// An ATT(g, t) with the influence of every unit.
struct Estimate {
    group: i64,
    period: i64,
    distance: i64,
    value: f64,
    influence: Vec<f64>,
    treated: usize,
    controls: usize,
}

impl Wide {
    fn new(ordered: &Ordered) -> Result<Self, Invalid> {
        let cells = ordered.starts.len().checked_mul(ordered.periods.len());
        if cells.is_none_or(|cells| cells > MOST_CELLS) {
            return Err(Invalid::new("units times periods exceed 100000000"));
        }
        let periods = ordered.periods.clone();
        let mut outcomes = vec![f64::NAN; cells.unwrap_or(0)];
        for observation in &ordered.observations {
            outcomes[observation.unit * periods.len() + observation.period] = observation.outcome;
        }
        let n = ordered.observations.len() as f64;
        let mean = ordered.observations.iter().map(|o| o.outcome).sum::<f64>() / n;
        let squares: f64 = ordered.observations.iter().map(|o| (o.outcome - mean).powi(2)).sum();
        // Units treated from the first period on are compared with nobody and are nobody's controls.
        let always = |start: &Option<i64>| start.is_some_and(|s| periods.first().is_some_and(|p| s <= *p));
        let kept: Vec<usize> = (0..ordered.starts.len()).filter(|&u| !always(&ordered.starts[u])).collect();
        let width = periods.len();
        let outcomes = kept.iter().flat_map(|&u| outcomes[u * width..(u + 1) * width].to_vec()).collect();
        Ok(Self {
            outcomes,
            starts: kept.iter().map(|&u| ordered.starts[u]).collect(),
            groups: ordered.groups(),
            spread: (squares / n).sqrt(),
            periods,
        })
    }

    fn units(&self) -> usize {
        self.starts.len()
    }

    /// Change of a unit's outcome; NaN unless it was seen in both periods.
    fn change(&self, unit: usize, from: usize, to: usize) -> f64 {
        let row = &self.outcomes[unit * self.periods.len()..];
        row[to] - row[from]
    }

    /// `None` where treated units or controls are missing, or no period lies before the group's first.
    fn estimate(&self, group: i64, to: usize, controls: Controls) -> Option<Estimate> {
        let period = self.periods[to];
        let first = self.periods.partition_point(|p| *p < group);
        let from = if period >= group { first.checked_sub(1)? } else { to - 1 };
        let latest = period.max(self.periods[from]);
        let control = |start: Option<i64>| match controls {
            Controls::NeverTreated => start.is_none(),
            Controls::NotYetTreated => start.is_none_or(|start| start > latest && start != group),
        };
        let (mut treated, mut others) = ((0, 0.0), (0, 0.0));
        for (unit, start) in self.starts.iter().enumerate() {
            let change = self.change(unit, from, to);
            if change.is_nan() {
                continue;
            }
            let side = if *start == Some(group) {
                &mut treated
            } else if control(*start) {
                &mut others
            } else {
                continue;
            };
            side.0 += 1;
            side.1 += change;
        }
        if treated.0 == 0 || others.0 == 0 {
            return None;
        }
        let n = self.units() as f64;
        let (share1, share0) = (treated.0 as f64, others.0 as f64);
        let (mean1, mean0) = (treated.1 / share1, others.1 / share0);
        let influence = self.starts.iter().enumerate().map(|(unit, start)| {
            let change = self.change(unit, from, to);
            if change.is_nan() {
                0.0
            } else if *start == Some(group) {
                n / share1 * (change - mean1)
            } else if control(*start) {
                -n / share0 * (change - mean0)
            } else {
                0.0
            }
        });
        Some(Estimate {
            group,
            period,
            distance: period - group,
            value: mean1 - mean0,
            influence: influence.collect(),
            treated: treated.0,
            controls: others.0,
        })
    }

    /// The average of some estimates, weighted by the shares of their groups among the units.
    fn average(&self, found: &[Estimate], chosen: &[usize], conf: f64) -> Effect {
        let n = self.units() as f64;
        let share = |group: i64| self.starts.iter().filter(|start| **start == Some(group)).count() as f64 / n;
        let shares: Vec<f64> = chosen.iter().map(|&i| share(found[i].group)).collect();
        let total: f64 = shares.iter().sum();
        let value = chosen.iter().zip(&shares).map(|(&i, share)| share * found[i].value).sum::<f64>() / total;
        let influence = |unit: usize| {
            let parts = chosen.iter().zip(&shares).map(|(&i, share)| {
                let estimate = &found[i];
                // The share of a group is itself a mean over units.
                let member = f64::from(u8::from(self.starts[unit] == Some(estimate.group)));
                share * estimate.influence[unit] + (member - share) * (estimate.value - value)
            });
            parts.sum::<f64>() / total
        };
        let influence: Vec<f64> = (0..self.units()).map(influence).collect();
        self.effect(value, &influence, conf)
    }

    fn effect(&self, value: f64, influence: &[f64], conf: f64) -> Effect {
        let n = self.units() as f64;
        let squares: f64 = influence.iter().map(|part| part * part).sum();
        Effect::normal(value, squares.sqrt() / n, conf, self.spread)
    }
}

impl Estimate {
    fn cell(&self, wide: &Wide, conf: f64) -> Cell {
        let mut effect = wide.effect(self.value, &self.influence, conf);
        // One treated unit or one control has no spread to go by.
        if self.treated < 2 || self.controls < 2 {
            effect.errors = None::<Errors>;
        }
        Cell {
            group: self.group,
            period: self.period,
            effect,
            treated: self.treated,
            controls: self.controls,
        }
    }
}
