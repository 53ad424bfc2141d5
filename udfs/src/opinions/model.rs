//! The trained weights: tagger, pairing, polarity. Numbers only, no text.
//!
//! File: the magic `VHOPIN01`; scales and sizes; then the tables, little-endian. Made by the trainer, the
//! same bytes for the same data and seed.

use std::sync::LazyLock;

use super::Invalid;
use super::features::BITS;

/// Labels of the tagger: O, then begin, inside and end of an aspect, then of an opinion. A span of one
/// character is an end.
pub(crate) const LABELS: usize = 7;

/// Rows of the pairing table.
pub(crate) const PAIRING_ROWS: usize = 1 << 12;

/// Rows of the polarity table, as a power of two.
pub(crate) const POLARITY_BITS: u32 = 17;

const MAGIC: &[u8; 8] = b"VHOPIN01";

/// Weights as the kernels use them. A weight is its small number times the scale of its table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Model {
    pub(crate) tagger: Vec<[i8; 8]>,
    pub(crate) tagger_scale: f32,
    pub(crate) transitions: [[f32; LABELS]; LABELS],
    /// Added where an aspect or an opinion begins: recall for precision.
    pub(crate) aspect_bias: f32,
    pub(crate) opinion_bias: f32,
    pub(crate) pairing: Vec<i8>,
    pub(crate) pairing_scale: f32,
    /// Criticism, neither, praise.
    pub(crate) polarity: Vec<[i8; 3]>,
    pub(crate) polarity_scale: f32,
}

static SHIPPED: LazyLock<Model> = LazyLock::new(|| {
    Model::from_bytes(include_bytes!("data/opinions.bin")).unwrap_or_else(|_| Model::empty())
});

impl Model {
    /// The model that comes with the program.
    pub(crate) fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// A model that finds nothing.
    pub(crate) fn empty() -> Self {
        Self {
            tagger: vec![[0; 8]; 1 << BITS],
            tagger_scale: 0.0,
            transitions: [[0.0; LABELS]; LABELS],
            aspect_bias: 0.0,
            opinion_bias: 0.0,
            pairing: vec![0; PAIRING_ROWS],
            pairing_scale: 0.0,
            polarity: vec![[0; 3]; 1 << POLARITY_BITS],
            polarity_scale: 0.0,
        }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        let scales =
            [self.tagger_scale, self.aspect_bias, self.opinion_bias, self.pairing_scale, self.polarity_scale];
        for number in scales.iter().chain(self.transitions.iter().flatten()) {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(self.tagger.iter().flat_map(|row| &row[..LABELS]).map(|weight| weight.to_le_bytes()[0]));
        bytes.extend(self.pairing.iter().map(|weight| weight.to_le_bytes()[0]));
        bytes.extend(self.polarity.iter().flatten().map(|weight| weight.to_le_bytes()[0]));
        bytes
    }

    /// Reads what [`Model::to_bytes`] wrote.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        Self::read(bytes).ok_or_else(|| Invalid::new("opinion model is damaged or of another version"))
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(MAGIC)?;
        let mut model = Self::empty();
        let mut numbers = [0.0f32; 5 + LABELS * LABELS];
        for number in &mut numbers {
            let (head, tail) = rest.split_first_chunk::<4>()?;
            *number = f32::from_le_bytes(*head);
            rest = tail;
        }
        let [tagger, aspect, opinion, pairing, polarity, transitions @ ..] = numbers;
        (model.tagger_scale, model.aspect_bias, model.opinion_bias) = (tagger, aspect, opinion);
        (model.pairing_scale, model.polarity_scale) = (pairing, polarity);
        for (slot, value) in model.transitions.iter_mut().flatten().zip(transitions) {
            *slot = value;
        }
        if rest.len() != model.tagger.len() * LABELS + model.pairing.len() + model.polarity.len() * 3 {
            return None;
        }
        let mut weights = rest.iter().map(|&byte| i8::from_le_bytes([byte]));
        let slots = model.tagger.iter_mut().flat_map(|row| &mut row[..LABELS]);
        let slots = slots.chain(&mut model.pairing).chain(model.polarity.iter_mut().flatten());
        slots.zip(&mut weights).for_each(|(slot, weight)| *slot = weight);
        Some(model)
    }
}
