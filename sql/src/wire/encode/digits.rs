//! Integers to decimal digits without an allocation, up to 128 bits.

use std::fmt::Write;

use arrow::datatypes::i256;

/// The longest: a minus and the 77 digits of 256 bits.
const LONGEST: usize = 80;

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
}

macro_rules! whole {
    ($($type:ty),*) => {$(
        impl Whole for $type {
            fn write(&self, digits: &mut Digits) {
                // It fits: LONGEST is that of the widest type.
                let _ = write!(digits, "{self}");
            }
        }
    )*};
}

whole!(i32, i64, u64, i128, i256);

/// `1.5e3` as Rust prints it: shortest digits that read back as the same number.
pub(super) fn scientific<T: std::fmt::LowerExp>(value: T) -> Digits {
    let mut digits = Digits { buffer: [0; LONGEST], length: 0 };
    // 17 digits, sign, point and exponent fit.
    let _ = write!(digits, "{value:e}");
    digits
}
