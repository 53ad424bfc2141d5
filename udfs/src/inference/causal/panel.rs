//! Panels: outcomes of units by period, and when each unit was first treated.

use std::collections::BTreeMap;

use crate::inference::Invalid;
use crate::inference::rows::Rows;

/// Rows of a panel in any order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Panel {
    rows: Rows,
}

impl Default for Panel {
    fn default() -> Self {
        Self { rows: Rows::new(1, 4) }
    }
}

/// One unit in one period, after the panel has been put in order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Observation {
    /// Position of the unit among the units.
    pub(super) unit: usize,
    /// Position of the period among the periods.
    pub(super) period: usize,
    pub(super) outcome: f64,
}

/// A panel in order of units and periods.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ordered {
    pub(super) observations: Vec<Observation>,
    /// Distinct periods in order.
    pub(super) periods: Vec<i64>,
    /// First treated period of every unit.
    pub(super) starts: Vec<Option<i64>>,
}

/// Periods beyond this are not counted exactly by a double.
const FARTHEST: i64 = 1 << 52;

impl Panel {
    /// `unit` is a hash of the unit's key; `start` is its first treated period, `None` if it never was.
    pub(crate) fn update(
        &mut self,
        unit: u64,
        period: i64,
        outcome: f64,
        start: Option<i64>,
    ) -> Result<(), Invalid> {
        let start_or_zero = start.unwrap_or(0);
        if period.checked_abs().is_none_or(|p| p > FARTHEST)
            || start_or_zero.checked_abs().is_none_or(|p| p > FARTHEST)
        {
            return Err(Invalid::new("period of a panel is out of range")
                .with_hint("Number the periods, such as months since the first one."));
        }
        let treated = f64::from(u8::from(start.is_some()));
        self.rows.update(&[unit], &[period as f64, treated, start_or_zero as f64, outcome])
    }

    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), Invalid> {
        self.rows.merge(&other.rows)
    }

    /// In order of units and periods. Refuses two rows of a unit in a period, and a unit whose rows do not
    /// agree on when it was first treated.
    pub(super) fn ordered(&self) -> Result<Ordered, Invalid> {
        let order = self.rows.order();
        let row = |row: usize| match self.rows.values(row) {
            &[period, treated, start, outcome] => {
                (period as i64, (treated != 0.0).then_some(start as i64), outcome)
            }
            _ => (0, None, f64::NAN),
        };
        let mut keys: BTreeMap<i64, usize> = order.iter().map(|&place| (row(place).0, 0)).collect();
        keys.values_mut().enumerate().for_each(|(place, period)| *period = place);
        let mut ordered =
            Ordered { observations: Vec::new(), periods: keys.keys().copied().collect(), starts: Vec::new() };
        let mut last = None;
        for &place in &order {
            let key = self.rows.keys(place).first().copied();
            let (period, start, outcome) = row(place);
            if last.is_none_or(|(other, _)| other != key) {
                ordered.starts.push(start);
            } else if last == Some((key, period)) {
                return Err(Invalid::new(format!("a unit has two rows in period {period}"))
                    .with_hint("Average or add up the rows of a unit in a period first."));
            } else if ordered.starts.last() != Some(&start) {
                return Err(Invalid::new("rows of a unit disagree on when it was first treated"));
            }
            last = Some((key, period));
            let unit = ordered.starts.len() - 1;
            ordered.observations.push(Observation { unit, period: keys[&period], outcome });
        }
        Ok(ordered)
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.rows.to_bytes()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let rows = Rows::from_bytes(bytes)?;
        if rows.columns() != 4 {
            return Err(Invalid::new("aggregate state is damaged"));
        }
        Ok(Self { rows })
    }

    /// Bytes of memory held.
    pub(crate) fn size(&self) -> usize {
        self.rows.size()
    }
}

impl Ordered {
    /// Periods since the unit of `observation` was first treated; `None` if it never was.
    pub(super) fn since(&self, observation: &Observation) -> Option<i64> {
        self.starts[observation.unit].map(|start| self.periods[observation.period] - start)
    }

    /// Distinct first treated periods.
    pub(super) fn groups(&self) -> Vec<i64> {
        let mut groups: Vec<i64> = self.starts.iter().flatten().copied().collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }
}
