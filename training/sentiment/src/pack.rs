//! Weights into the bytes of a model file.

use crate::features::BITS;
use crate::measure::Sigmoid;
use crate::solver::Linear;
use crate::table::{BUCKET, FINGERPRINT_BITS, HEADER, PLACES, expand};

/// Buckets of a table.
const BUCKETS: usize = 1 << (BITS - FINGERPRINT_BITS);

/// The largest step a byte holds.
const STEPS: i32 = 127;

/// The share of weights that fit; greater ones are cut.
const FITTING: f64 = 0.9999;

/// Puts the weights of both heads into a file. Where a bucket is full the smallest give way.
pub fn pack(polarity: &Linear, sigmoid: Sigmoid, subjectivity: &Linear, subjective: Sigmoid) -> Vec<u8> {
    let unit = reach(&polarity.weights) / expand(STEPS as u8) as f32;
    let subjectivity_unit = reach(&subjectivity.weights) / STEPS as f32;
    let scale = [
        unit,
        polarity.bias,
        sigmoid.slope as f32,
        sigmoid.offset as f32,
        subjectivity_unit * subjective.slope as f32,
        subjectivity.bias * subjective.slope as f32 + subjective.offset as f32,
        sigmoid.bend as f32,
    ];
    let mut bytes: Vec<u8> = scale.iter().flat_map(|number| number.to_le_bytes()).collect();
    bytes.resize(HEADER, 0);
    for bucket in 0..BUCKETS {
        let names = (bucket << FINGERPRINT_BITS)..((bucket + 1) << FINGERPRINT_BITS);
        let mut held: Vec<(f32, u8, i8, i8)> = names
            .filter_map(|name| {
                let (p, s) = (polarity.weights[name] / unit, subjectivity.weights[name] / subjectivity_unit);
                let (a, b) = (step(p), s.round().clamp(-127.0, 127.0) as i8);
                let weight = p.abs() / expand(STEPS as u8) as f32 + 0.5 * s.abs() / STEPS as f32;
                ((a, b) != (0, 0)).then_some((weight, (name & 0xff) as u8, a, b))
            })
            .collect();
        held.sort_by(|a, b| b.0.total_cmp(&a.0));
        held.truncate(PLACES);
        bytes.extend(fill(&held));
    }
    assert_eq!(bytes.len(), HEADER + BUCKET * BUCKETS);
    bytes
}

fn fill(held: &[(f32, u8, i8, i8)]) -> [u8; BUCKET] {
    let mut bucket = [0; BUCKET];
    for (place, (_, print, polarity, subjectivity)) in held.iter().enumerate() {
        bucket[place] = *print;
        bucket[PLACES + place] = polarity.cast_unsigned();
        bucket[2 * PLACES + place] = subjectivity.cast_unsigned();
    }
    bucket
}

/// The size that all but a few weights stay below.
fn reach(weights: &[f32]) -> f32 {
    let mut sizes: Vec<f32> = weights.iter().map(|w| w.abs()).filter(|w| *w > 0.0).collect();
    sizes.sort_by(f32::total_cmp);
    sizes.get((sizes.len() as f64 * FITTING) as usize).or(sizes.last()).copied().unwrap_or(1.0)
}

/// The byte whose value is nearest.
fn step(value: f32) -> i8 {
    let size = value.abs();
    let step = ((64.0 + size).sqrt() - 8.0).round().clamp(0.0, 127.0);
    (step * value.signum()) as i8
}
