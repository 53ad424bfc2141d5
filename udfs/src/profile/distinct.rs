//! How many different values there are: counted while they are few, then estimated by HyperLogLog (Flajolet, Fusy,
//! Gandouet and Meunier 2007).

use std::collections::HashSet;

use serde_json::{Value, json};

/// So many hashes are held one by one.
const EXACT: usize = 10_000;
/// 2^14 registers: a standard error of 0.8 %.
const BITS: u32 = 14;

#[derive(Debug, Clone)]
pub(super) enum Distinct {
    Counted(HashSet<u64>),
    Estimated(Vec<u8>),
}

impl Default for Distinct {
    fn default() -> Self {
        Distinct::Counted(HashSet::new())
    }
}

impl Distinct {
    pub(super) fn add(&mut self, hash: u64) {
        match self {
            Distinct::Counted(hashes) => {
                hashes.insert(hash);
                if hashes.len() > EXACT {
                    *self = Distinct::Estimated(registers(hashes.iter().copied()));
                }
            }
            Distinct::Estimated(registers) => note(registers, hash),
        }
    }

    pub(super) fn is_exact(&self) -> bool {
        matches!(self, Distinct::Counted(_))
    }

    pub(super) fn count(&self) -> i64 {
        match self {
            Distinct::Counted(hashes) => hashes.len() as i64,
            Distinct::Estimated(registers) => estimate(registers).round() as i64,
        }
    }

    pub(super) fn save(&self) -> Value {
        match self {
            Distinct::Counted(hashes) => json!(hashes.iter().collect::<Vec<_>>()),
            Distinct::Estimated(registers) => json!({ "registers": registers }),
        }
    }

    pub(super) fn merge(&mut self, saved: &Value) -> Option<()> {
        if let Some(hashes) = saved.as_array() {
            hashes.iter().try_for_each(|hash| hash.as_u64().map(|hash| self.add(hash)))?;
            return Some(());
        }
        let others = saved["registers"].as_array()?;
        if let Distinct::Counted(hashes) = self {
            *self = Distinct::Estimated(registers(hashes.iter().copied()));
        }
        if let Distinct::Estimated(registers) = self {
            for (register, other) in registers.iter_mut().zip(others) {
                *register = (*register).max(u8::try_from(other.as_u64()?).ok()?);
            }
        }
        Some(())
    }

    pub(super) fn size(&self) -> usize {
        match self {
            Distinct::Counted(hashes) => hashes.capacity() * 9,
            Distinct::Estimated(registers) => registers.capacity(),
        }
    }
}

fn registers(hashes: impl Iterator<Item = u64>) -> Vec<u8> {
    let mut registers = vec![0; 1 << BITS];
    hashes.for_each(|hash| note(&mut registers, hash));
    registers
}

/// The first bits choose a register, which holds the longest run of zeros among the others.
fn note(registers: &mut [u8], hash: u64) {
    let place = (hash >> (u64::BITS - BITS)) as usize;
    let run = ((hash << BITS).leading_zeros().min(u64::BITS - BITS) + 1) as u8;
    if let Some(register) = registers.get_mut(place) {
        *register = run.max(*register);
    }
}

fn estimate(registers: &[u8]) -> f64 {
    let count = registers.len() as f64;
    let alpha = 0.7213 / (1.0 + 1.079 / count);
    let harmonic: f64 = registers.iter().map(|run| (-f64::from(*run)).exp2()).sum();
    let raw = alpha * count * count / harmonic;
    let empty = registers.iter().filter(|run| **run == 0).count();
    if raw <= 2.5 * count && empty > 0 { count * (count / empty as f64).ln() } else { raw }
}
