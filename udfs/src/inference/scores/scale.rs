//! Shares of a scale 1..`scale_max`: the best `k` grades (top box), CSAT and CES.
//!
//! CSAT is the share of the two best grades. CES is the share of grades above the middle of the scale (5 to 7
//! of 7, 4 and 5 of 5), for a question where the best grade means the least effort. Answers that are not a
//! whole number on the scale are left out and counted as invalid.

use std::mem::size_of;

use super::share::Share;
use crate::inference::Invalid;
use crate::inference::bytes::{Reader, Writer};

/// Grades of a scale that count as hits: those from `from` to `scale_max`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TopGrades {
    from: f64,
    scale_max: f64,
}

impl TopGrades {
    /// The best `k` grades of 1..`scale_max`.
    pub(crate) fn top_box(k: i64, scale_max: i64) -> Result<Self, Invalid> {
        let scale_max = checked(scale_max)?;
        if k >= 1 && (k as f64) < scale_max {
            return Ok(Self { from: scale_max - k as f64 + 1.0, scale_max });
        }
        Err(Invalid::new(format!("top box of {k} grades does not fit a scale of {scale_max}"))
            .with_hint("Give at least one grade, and fewer than the scale has."))
    }

    /// The two best grades.
    pub(crate) fn csat(scale_max: i64) -> Result<Self, Invalid> {
        let scale_max = checked(scale_max)?;
        Ok(Self { from: scale_max - 1.0, scale_max })
    }

    /// The grades above the middle.
    pub(crate) fn ces(scale_max: i64) -> Result<Self, Invalid> {
        let scale_max = checked(scale_max)?;
        Ok(Self { from: ((scale_max + 1.0) / 2.0).floor() + 1.0, scale_max })
    }

    /// Whether `score` is a hit; `None` off the scale.
    pub(crate) fn hit(&self, score: f64) -> Option<bool> {
        let valid = score.fract() == 0.0 && (1.0..=self.scale_max).contains(&score);
        valid.then_some(score >= self.from)
    }
}

fn checked(scale_max: i64) -> Result<f64, Invalid> {
    if (3..=1_000_000).contains(&scale_max) {
        return Ok(scale_max as f64);
    }
    Err(Invalid::new(format!("scale_max {scale_max} is not a whole number from 3 to 1000000"))
        .with_hint("Give the best grade of the scale, such as 5 for 1 to 5."))
}

/// Answers on a scale: those that count, and how many were left out.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct ScaleShare {
    pub(crate) share: Share,
    /// Answers off the scale.
    pub(crate) invalid: u64,
}

impl ScaleShare {
    /// NaN and infinity are off the scale.
    pub(crate) fn update(&mut self, grades: TopGrades, score: f64, weight: f64) -> Result<(), Invalid> {
        match grades.hit(score) {
            Some(hit) => self.share.update(hit, weight),
            None => {
                self.invalid += 1;
                Ok(())
            }
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.share.merge(&other.share);
        self.invalid += other.invalid;
    }

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.integer(self.invalid);
        let mut bytes = writer.finish();
        bytes.extend(self.share.to_bytes());
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let (head, rest) = bytes.split_at(bytes.len().min(8));
        let invalid = Reader::new(head).integer()?;
        Ok(Self { share: Share::from_bytes(rest)?, invalid })
    }

    /// Bytes of memory held.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>()
    }
}
