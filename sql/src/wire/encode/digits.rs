//! Whole numbers to decimal digits without an allocation, and the quick ways for those that fit a machine word.

use std::fmt::Write;

use arrow::datatypes::i256;
use bytes::{BufMut, BytesMut};

/// The longest: a minus and the 77 digits of 256 bits.
const LONGEST: usize = 80;

/// `00` to `99`: two digits for one division.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut at = 0;
    while at < 100 {
        pairs[at] = [b'0' + (at / 10) as u8, b'0' + (at % 10) as u8];
        at += 1;
    }
    pairs
};

/// The last digits of `value`, as many as `buffer` has room for, zeros in front. Gives back what is left of it.
fn fill(mut value: u64, buffer: &mut [u8]) -> u64 {
    let mut pairs = buffer.rchunks_exact_mut(2);
    for pair in &mut pairs {
        pair.copy_from_slice(&PAIRS[(value % 100) as usize]);
        value /= 100;
    }
    if let [digit] = pairs.into_remainder() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
    value
}

pub(super) fn put_unsigned(value: u64, out: &mut BytesMut) {
    let mut buffer = [b'0'; 20];
    let (mut at, mut rest) = (buffer.len(), value);
    while rest >= 100 {
        at -= 2;
        buffer[at..at + 2].copy_from_slice(&PAIRS[(rest % 100) as usize]);
        rest /= 100;
    }
    at -= 2;
    buffer[at..at + 2].copy_from_slice(&PAIRS[rest as usize]);
    out.put_slice(&buffer[at + usize::from(rest < 10)..]);
}

pub(super) fn put_signed(value: i64, out: &mut BytesMut) {
    if value < 0 {
        out.put_u8(b'-');
    }
    put_unsigned(value.unsigned_abs(), out);
}

/// With zeros in front up to `width`, which is at most 20.
pub(super) fn put_padded(value: u64, width: usize, out: &mut BytesMut) {
    let mut buffer = [b'0'; 20];
    let start = buffer.len() - width;
    match fill(value, &mut buffer[start..]) {
        0 => out.put_slice(&buffer[start..]),
        _ => put_unsigned(value, out),
    }
}

/// Two digits; `value` is below 100.
pub(super) fn pair(value: u32) -> [u8; 2] {
    PAIRS[value as usize % 100]
}

/// Digits, perhaps behind a minus.
pub(super) struct Digits {
    buffer: [u8; LONGEST],
    length: usize,
}

impl Digits {
    pub(super) fn of(value: impl Whole) -> Self {
        let mut digits = Self { buffer: [0; LONGEST], length: 0 };
        value.write(&mut digits);
        digits
    }

    pub(super) fn as_str(&self) -> &str {
        // Only `write_str` fills the buffer, and it refuses what does not fit.
        std::str::from_utf8(&self.buffer[..self.length]).unwrap_or_default()
    }
}

impl Write for Digits {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        let room = self.buffer.get_mut(self.length..end).ok_or(std::fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// A whole number of any width.
pub(super) trait Whole {
    fn write(&self, digits: &mut Digits);

    /// Whether it is negative, and its size, if 64 bits can hold it.
    fn small(&self) -> Option<(bool, u64)>;
}

macro_rules! whole {
    ($($type:ty: $small:expr),*) => {$(
        impl Whole for $type {
            fn write(&self, digits: &mut Digits) {
                // It fits: LONGEST is that of the widest type.
                let _ = write!(digits, "{self}");
            }

            fn small(&self) -> Option<(bool, u64)> {
                $small(*self)
            }
        }
    )*};
}

whole!(
    i32: |value: i32| Some((value < 0, value.unsigned_abs().into())),
    i64: |value: i64| Some((value < 0, value.unsigned_abs())),
    i128: |value: i128| Some((value < 0, u64::try_from(value.unsigned_abs()).ok()?)),
    i256: |value: i256| value.to_i128().and_then(|value| value.small())
);

/// `1.50e3`: so many digits behind the point.
pub(super) fn rounded(value: f64, places: usize) -> Digits {
    let mut digits = Digits { buffer: [0; LONGEST], length: 0 };
    // At most 17 digits are asked for.
    let _ = write!(digits, "{value:.places$e}");
    digits
}

/// `1.5e3` as Rust prints it: shortest digits that read back as the same number.
pub(super) fn scientific<T: std::fmt::LowerExp>(value: T) -> Digits {
    let mut digits = Digits { buffer: [0; LONGEST], length: 0 };
    // 17 digits, sign, point and exponent fit.
    let _ = write!(digits, "{value:e}");
    digits
}
