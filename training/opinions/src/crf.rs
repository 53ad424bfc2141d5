//! The tagger's training: a linear-chain conditional random field on hashed features, stochastic gradient
//! ascent on the likelihood with an L2 penalty (the weights are kept as scale × value, so that shrinking
//! them costs nothing). Where a source has no opinion labels every labelling that agrees with the known
//! ones counts as right: the numerator is then itself a sum over paths.

use crate::opinions::model::LABELS;
use crate::opinions::tagger::follows;

use crate::split::mix;

pub type Row = [f32; 8];

/// A sentence ready for training.
#[derive(Debug, Clone)]
pub struct Example {
    /// Rows of the features, so many a character.
    pub rows: Vec<u32>,
    /// Of each character, the labels that agree with the annotation, a bit each.
    pub allowed: Vec<u8>,
}

#[derive(Debug, Clone)]
pub struct Settings {
    pub epochs: usize,
    pub rate: f64,
    /// Penalty over the number of examples.
    pub penalty: f64,
    /// Share of features left out at random.
    pub dropout: f64,
    pub seed: u64,
}

#[derive(Debug, Clone)]
pub struct Weights {
    pub table: Vec<Row>,
    pub transitions: [[f32; LABELS]; LABELS],
}

/// Whether a span goes on behind the label.
fn is_open(label: usize) -> bool {
    matches!(label, 1 | 2 | 4 | 5)
}

pub fn train(examples: &[Example], rows: usize, features: usize, settings: &Settings) -> Weights {
    let mut weights = Weights { table: vec![[0.0; 8]; rows], transitions: [[0.0; LABELS]; LABELS] };
    let mut mean = weights.clone();
    let penalty = settings.penalty / examples.len() as f64;
    let mut scale = 1.0f64;
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let mut steps = 0.0f64;
    let mut lattice = Lattice::default();
    for epoch in 0..settings.epochs {
        let mut likelihood = 0.0;
        shuffle(&mut order, settings.seed.wrapping_add(epoch as u64));
        for &index in &order {
            let example = &examples[index];
            let rate = settings.rate / (1.0 + penalty * settings.rate * steps);
            let noise = mix(settings.seed ^ mix(index as u64 ^ mix(epoch as u64)));
            likelihood += step(
                &mut weights,
                example,
                features,
                scale,
                rate / scale,
                noise,
                settings.dropout,
                &mut lattice,
            );
            scale *= 1.0 - rate * penalty;
            steps += 1.0;
        }
        if 2 * epoch >= settings.epochs {
            let share = (scale / (settings.epochs - settings.epochs.div_ceil(2)) as f64) as f32;
            for (sum, row) in mean.table.iter_mut().zip(&weights.table) {
                for (sum, weight) in sum.iter_mut().zip(row) {
                    *sum += weight * share;
                }
            }
            for (sum, row) in mean.transitions.iter_mut().zip(&weights.transitions) {
                for (sum, weight) in sum.iter_mut().zip(row) {
                    *sum += weight * share / scale as f32;
                }
            }
        }
        eprintln!("epoch {epoch}: log likelihood a sentence {:.4}", likelihood / examples.len() as f64);
    }
    mean
}

#[allow(clippy::too_many_arguments)]
fn step(
    weights: &mut Weights,
    example: &Example,
    features: usize,
    scale: f64,
    rate: f64,
    mut noise: u64,
    dropout: f64,
    lattice: &mut Lattice,
) -> f64 {
    let length = example.allowed.len();
    lattice.resize(length);
    let threshold = (dropout * 65536.0) as u64;
    let keep_scale = scale / (1.0 - dropout);
    lattice.kept.clear();
    for place in 0..length {
        let mut sum = [0.0f32; 8];
        let mut kept = 0u64;
        for (at, &row) in example.rows[place * features..(place + 1) * features].iter().enumerate() {
            if at % 4 == 0 {
                noise = mix(noise.wrapping_add(0x9e37_79b9_7f4a_7c15));
            }
            if (noise >> (16 * (at % 4))) & 0xffff < threshold {
                continue;
            }
            kept |= 1 << at;
            for (total, weight) in sum.iter_mut().zip(&weights.table[row as usize]) {
                *total += weight;
            }
        }
        lattice.kept.push(kept);
        for label in 0..LABELS {
            lattice.emissions[place][label] = f64::from(sum[label]) * keep_scale;
        }
    }
    let all = vec![0x7fu8; length];
    let free = lattice.run(&weights.transitions, &all, -1.0);
    let right = lattice.run(&weights.transitions, &example.allowed, 1.0);
    for place in 0..length {
        let gradient: [f32; 8] = std::array::from_fn(|label| {
            if label < LABELS { (lattice.gradient[place][label] * rate) as f32 } else { 0.0 }
        });
        for (at, &row) in example.rows[place * features..(place + 1) * features].iter().enumerate() {
            if lattice.kept[place] >> at & 1 == 1 {
                for (weight, change) in weights.table[row as usize].iter_mut().zip(&gradient) {
                    *weight += change;
                }
            }
        }
    }
    for from in 0..LABELS {
        for to in 0..LABELS {
            weights.transitions[from][to] += (lattice.transition_gradient[from][to] * rate * scale) as f32;
        }
    }
    right - free
}

/// Room for forward and backward.
#[derive(Debug, Default)]
struct Lattice {
    emissions: Vec<[f64; LABELS]>,
    forward: Vec<[f64; LABELS]>,
    backward: Vec<[f64; LABELS]>,
    gradient: Vec<[f64; LABELS]>,
    transition_gradient: [[f64; LABELS]; LABELS],
    kept: Vec<u64>,
}

impl Lattice {
    fn resize(&mut self, length: usize) {
        for rows in [&mut self.emissions, &mut self.forward, &mut self.backward, &mut self.gradient] {
            rows.clear();
            rows.resize(length, [0.0; LABELS]);
        }
        self.transition_gradient = Default::default();
    }

    /// Adds `sign` times the expectations over the allowed paths to the gradient; returns the logarithm of
    /// their sum. Position by position the values are divided by their sum to stay in range.
    fn run(&mut self, transitions: &[[f32; LABELS]; LABELS], allowed: &[u8], sign: f64) -> f64 {
        let length = allowed.len();
        let mut log = 0.0;
        let factor: [[f64; LABELS]; LABELS] = std::array::from_fn(|from| {
            std::array::from_fn(
                |to| if follows(from, to) { f64::from(transitions[from][to]).exp() } else { 0.0 },
            )
        });
        let potentials: Vec<([f64; LABELS], f64)> = (0..length)
            .map(|place| {
                let row = &self.emissions[place];
                let top = (0..LABELS).map(|label| row[label]).fold(f64::MIN, f64::max);
                let value = std::array::from_fn(|label| {
                    if allowed[place] >> label & 1 == 1 { (row[label] - top).exp() } else { 0.0 }
                });
                (value, top)
            })
            .collect();
        let mut totals = vec![1.0; length];
        for place in 0..length {
            let mut now = [0.0; LABELS];
            for to in 0..LABELS {
                let before: f64 = match place {
                    0 => f64::from(u8::from(follows(0, to))),
                    _ => (0..LABELS).map(|from| self.forward[place - 1][from] * factor[from][to]).sum(),
                };
                now[to] = before * potentials[place].0[to];
                if place + 1 == length && is_open(to) {
                    now[to] = 0.0;
                }
            }
            let total: f64 = now.iter().sum::<f64>().max(1e-300);
            totals[place] = total;
            log += total.ln() + potentials[place].1;
            self.forward[place] = now.map(|value| value / total);
        }
        self.backward[length - 1] = std::array::from_fn(|label| if is_open(label) { 0.0 } else { 1.0 });
        for place in (0..length - 1).rev() {
            let next: [f64; LABELS] = std::array::from_fn(|to| {
                self.backward[place + 1][to] * potentials[place + 1].0[to] / totals[place + 1]
            });
            for from in 0..LABELS {
                self.backward[place][from] = (0..LABELS).map(|to| factor[from][to] * next[to]).sum();
                for to in 0..LABELS {
                    self.transition_gradient[from][to] +=
                        sign * self.forward[place][from] * factor[from][to] * next[to];
                }
            }
        }
        for place in 0..length {
            for label in 0..LABELS {
                self.gradient[place][label] +=
                    sign * self.forward[place][label] * self.backward[place][label];
            }
        }
        log
    }
}

pub fn shuffle(order: &mut [usize], seed: u64) {
    let mut state = seed;
    for at in (1..order.len()).rev() {
        state = mix(state.wrapping_add(0x9e37_79b9_7f4a_7c15));
        order.swap(at, (state % (at as u64 + 1)) as usize);
    }
}
