//! The weights of a model, by feature: a table of buckets that needs no parsing.
//!
//! A file is a header of [`HEADER`] bytes and 2^k buckets of sixteen bytes. The upper bits of a feature's name
//! choose the bucket, the low eight are its fingerprint. A bucket holds five fingerprints, the five weights of
//! polarity, the five weights of subjectivity, and a byte that is 0. A weight is a signed byte; what it stands
//! for grows with its size (see [`expand`]). Fingerprints of unused places are those of no feature with a
//! weight: their weights are 0.

/// Bytes before the first bucket: seven little-endian `f32`s ([`Scale`]) and four bytes of 0.
pub(crate) const HEADER: usize = 32;

/// Places in a bucket.
pub(crate) const PLACES: usize = 5;

/// Bytes of a bucket.
pub(crate) const BUCKET: usize = 16;

/// Bits of a name that are its fingerprint.
pub(crate) const FINGERPRINT_BITS: u32 = 8;

/// The polarity and the subjectivity of one feature, as whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Weights {
    pub(crate) polarity: i32,
    pub(crate) subjectivity: i32,
}

/// What the whole numbers mean: margin = unit · sum / √features + bias, and how likely a margin is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    pub(crate) unit: f32,
    pub(crate) bias: f32,
    /// P(positive) = 1 / (1 + exp(−(slope · ±|margin|^bend + offset))).
    pub(crate) slope: f32,
    pub(crate) offset: f32,
    pub(crate) subjectivity_unit: f32,
    /// The logit of being subjective of a text with no known feature.
    pub(crate) subjectivity_bias: f32,
    /// The power that the size of a margin is raised to before it is scaled.
    pub(crate) bend: f32,
}

/// A model file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    pub(crate) scale: Scale,
    buckets: &'static [[u8; BUCKET]],
}

impl Table {
    /// Reads a file; one that is cut short knows nothing.
    pub(crate) const fn open(bytes: &'static [u8]) -> Self {
        const EMPTY: &[u8] = &[0; HEADER];
        let (header, buckets) = bytes.split_at(if bytes.len() < HEADER { 0 } else { HEADER });
        let header = if header.is_empty() { EMPTY } else { header };
        let scale = Scale {
            unit: number(header, 0),
            bias: number(header, 1),
            slope: number(header, 2),
            offset: number(header, 3),
            subjectivity_unit: number(header, 4),
            subjectivity_bias: number(header, 5),
            bend: number(header, 6),
        };
        Self { scale, buckets: buckets.as_chunks::<BUCKET>().0 }
    }

    /// The weights of the feature `name`; 0 if it has none.
    #[inline]
    pub(crate) fn get(&self, name: u32) -> Weights {
        const ONES: u64 = 0x01_0101_0101;
        let Some(bucket) = self.buckets.get((name >> FINGERPRINT_BITS) as usize) else {
            return Weights::default();
        };
        let [a, b, c, d, e, ..] = *bucket;
        let prints = u64::from_le_bytes([a, b, c, d, e, 0xff, 0xff, 0xff]);
        let differences = prints ^ (ONES * u64::from(name & 0xff)) | 0x00ff_ff00_0000_0000;
        // The lowest byte that is 0 is the first place with this fingerprint.
        let zeros = differences.wrapping_sub(ONES) & !differences & (ONES << 7);
        let found = (zeros.trailing_zeros() / 8) as usize;
        let (polarity, subjectivity) =
            if found < PLACES { (PLACES + found, 2 * PLACES + found) } else { (15, 15) };
        Weights {
            polarity: expand(bucket[polarity & 15]),
            subjectivity: i32::from(bucket[subjectivity & 15].cast_signed()),
        }
    }
}

/// What a byte of polarity stands for: s · (|s| + 16), finer for small weights.
#[inline]
pub(crate) fn expand(byte: u8) -> i32 {
    let step = i32::from(byte.cast_signed());
    step * (step.abs() + 16)
}

const fn number(header: &[u8], place: usize) -> f32 {
    let from = place * 4;
    f32::from_le_bytes([header[from], header[from + 1], header[from + 2], header[from + 3]])
}
