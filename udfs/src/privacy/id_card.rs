//! Resident identity numbers of mainland China (GB 11643-1999).
//!
//! Six digits of the district, eight of the birth date, three of the sequence, and a check character: with
//! weights 2^(17−i) mod 11 the sum of all eighteen is 1 modulo 11, X standing for ten.

/// Whether `number` is an 18-character identity number: province, date and check character agree. Only ASCII
/// digits and a final X or x count; the date must lie in 1800–2099.
pub(crate) fn is_valid(number: &str) -> bool {
    let bytes = number.as_bytes();
    bytes.len() == 18 && is_province(bytes) && has_date(bytes) && checksum(bytes) == Some(1)
}

/// The first two digits that the standard GB/T 2260 gives to provinces.
fn is_province(bytes: &[u8]) -> bool {
    matches!(
        two_digits(bytes, 0),
        Some(11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83)
    )
}

fn has_date(bytes: &[u8]) -> bool {
    let century = two_digits(bytes, 6);
    let parts = (two_digits(bytes, 8), two_digits(bytes, 10), two_digits(bytes, 12));
    let (Some(century @ 18..=20), (Some(year), Some(month), Some(day))) = (century, parts) else {
        return false;
    };
    (1..=days_of(century * 100 + year, month)).contains(&day)
}

/// Days of a month of the Gregorian calendar; 0 if there is no such month.
fn days_of(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(400) || (year.is_multiple_of(4) && !year.is_multiple_of(100)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

fn two_digits(bytes: &[u8], at: usize) -> Option<u32> {
    let value = |byte: &u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
    Some(value(bytes.get(at)?)? * 10 + value(bytes.get(at + 1)?)?)
}

fn checksum(bytes: &[u8]) -> Option<u32> {
    let mut sum = 0;
    for (place, byte) in bytes.iter().enumerate() {
        let value = match byte {
            b'0'..=b'9' => u32::from(byte - b'0'),
            b'X' | b'x' if place == 17 => 10,
            _ => return None,
        };
        // Doubling as one goes weighs the place i with 2^(17-i).
        sum = (sum * 2 + value) % 11;
    }
    Some(sum)
}
