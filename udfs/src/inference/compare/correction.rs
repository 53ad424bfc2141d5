//! Correction of p-values for the number of tests.
//!
//! Bonferroni: m·p. Holm (1979), Scandinavian Journal of Statistics 6: step down, (m − i)·p₍ᵢ₎ made monotone.
//! Benjamini and Hochberg (1995), JRSS B 57: step up, m/i·p₍ᵢ₎ made monotone, which bounds the share of false
//! findings rather than the chance of one. All are cut to 1.

use crate::inference::Invalid;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Correction {
    None,
    Bonferroni,
    Holm,
    BenjaminiHochberg,
}

impl Correction {
    pub(crate) fn parse(name: &str) -> Result<Self, Invalid> {
        match name {
            "none" => Ok(Self::None),
            "bonferroni" => Ok(Self::Bonferroni),
            "holm" => Ok(Self::Holm),
            "bh" => Ok(Self::BenjaminiHochberg),
            _ => Err(Invalid::new(format!("correction {name} does not exist"))
                .with_hint("Corrections are holm, bh, bonferroni and none.")),
        }
    }

    /// Corrected p-values in the order given. NaN stands for a test that was not made: it stays NaN and does
    /// not count as a test.
    pub(crate) fn adjust(self, p_values: &[f64]) -> Vec<f64> {
        let mut order: Vec<usize> = (0..p_values.len()).filter(|&i| !p_values[i].is_nan()).collect();
        order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
        let tests = order.len() as f64;
        let mut adjusted = p_values.to_vec();
        match self {
            Self::None => {}
            Self::Bonferroni => order.iter().for_each(|&i| adjusted[i] = (tests * p_values[i]).min(1.0)),
            Self::Holm => {
                let mut worst = 0.0_f64;
                for (rank, &i) in order.iter().enumerate() {
                    worst = worst.max((tests - rank as f64) * p_values[i]).min(1.0);
                    adjusted[i] = worst;
                }
            }
            Self::BenjaminiHochberg => {
                let mut best = 1.0_f64;
                for (rank, &i) in order.iter().enumerate().rev() {
                    best = best.min(tests / (rank + 1) as f64 * p_values[i]);
                    adjusted[i] = best;
                }
            }
        }
        adjusted
    }
}
