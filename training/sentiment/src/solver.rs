//! A linear classifier: a support vector machine with squared loss over features scaled by their log-count
//! ratio, solved by dual coordinate descent.
//!
//! Wang and Manning (2012), "Baselines and bigrams", ACL; Hsieh et al. (2008), "A dual coordinate descent
//! method for large-scale linear SVM", ICML.

/// A text to learn from: features, label, and how much an error on it costs.
#[derive(Debug, Clone, Copy)]
pub struct Example<'a> {
    pub features: &'a [(u32, f32)],
    pub positive: bool,
    pub cost: f32,
}

/// How a model is learnt.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    pub cost: f32,
    pub rounds: usize,
    /// Added to every count before a ratio is taken.
    pub smoothing: f32,
    /// Features seen in fewer texts are left out.
    pub least: u32,
    /// The power that ratios are raised to.
    pub power: f32,
}

/// Weights by feature name, and the constant.
#[derive(Debug, Clone)]
pub struct Linear {
    pub weights: Vec<f32>,
    pub bias: f32,
}

impl Linear {
    pub fn margin(&self, features: &[(u32, f32)]) -> f32 {
        features.iter().map(|(name, value)| self.weights[*name as usize] * value).sum::<f32>() + self.bias
    }
}

/// Draws from a seed (xorshift64*).
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize) % end
    }
}

/// Learns from `examples`.
pub fn learn(examples: &[Example], settings: Settings) -> Linear {
    let size = 1 << crate::features::BITS;
    let mut index = vec![0_u32; size];
    for example in examples {
        for (name, _) in example.features {
            index[*name as usize] += 1;
        }
    }
    let mut names = Vec::new();
    for (name, slot) in index.iter_mut().enumerate() {
        if *slot >= settings.least {
            *slot = names.len() as u32;
            names.push(name as u32);
        } else {
            *slot = u32::MAX;
        }
    }
    let ratios = log_ratios(examples, &index, names.len(), settings.smoothing, settings.power);
    let mut rows: Vec<Vec<(u32, f32)>> = Vec::with_capacity(examples.len());
    for example in examples {
        let known = example.features.iter().filter(|(name, _)| index[*name as usize] != u32::MAX);
        rows.push(
            known
                .map(|(name, value)| (index[*name as usize], value * ratios[index[*name as usize] as usize]))
                .collect(),
        );
    }
    let (weights, bias) = descend(&rows, examples, names.len(), settings);
    let mut all = vec![0.0; size];
    for ((name, weight), ratio) in names.iter().zip(&weights).zip(&ratios) {
        all[*name as usize] = weight * ratio;
    }
    Linear { weights: all, bias }
}

/// The logarithm of how much likelier each feature is in positive texts.
fn log_ratios(examples: &[Example], index: &[u32], size: usize, smoothing: f32, power: f32) -> Vec<f32> {
    let mut counts = vec![[smoothing; 2]; size];
    for example in examples {
        for (name, _) in example.features {
            if let Some(count) = counts.get_mut(index[*name as usize] as usize) {
                count[usize::from(example.positive)] += example.cost;
            }
        }
    }
    let totals = counts.iter().fold([0.0_f64; 2], |t, c| [t[0] + f64::from(c[0]), t[1] + f64::from(c[1])]);
    let base = (totals[1] / totals[0]).ln() as f32;
    counts.iter().map(|c| (c[1] / c[0]).ln() - base).map(|r| r.signum() * r.abs().powf(power)).collect()
}

fn descend(
    rows: &[Vec<(u32, f32)>],
    examples: &[Example],
    size: usize,
    settings: Settings,
) -> (Vec<f32>, f32) {
    let mut weights = vec![0.0_f32; size];
    let mut bias = 0.0_f32;
    let mut alphas = vec![0.0_f32; rows.len()];
    let squares: Vec<f32> =
        rows.iter().map(|row| 1.0 + row.iter().map(|(_, v)| v * v).sum::<f32>()).collect();
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let mut dice = Dice(0x1234_5678_9abc_def1);
    for _ in 0..settings.rounds {
        for place in (1..order.len()).rev() {
            order.swap(place, dice.below(place + 1));
        }
        for &place in &order {
            let (row, example) = (&rows[place], &examples[place]);
            let sign = if example.positive { 1.0 } else { -1.0 };
            let diagonal = 0.5 / (settings.cost * example.cost);
            let margin = bias + row.iter().map(|(j, v)| weights[*j as usize] * v).sum::<f32>();
            let gradient = sign * margin - 1.0 + diagonal * alphas[place];
            let before = alphas[place];
            let after = (before - gradient / (squares[place] + diagonal)).max(0.0);
            let change = (after - before) * sign;
            if change != 0.0 {
                alphas[place] = after;
                for (j, v) in row {
                    weights[*j as usize] += change * v;
                }
                bias += change;
            }
        }
    }
    (weights, bias)
}
