//! Mail addresses around an `@`.

use super::Kind;
use super::scan::Found;

/// Longest local part and domain (RFC 5321, 4.5.3.1).
const LONGEST_LOCAL: usize = 64;
const LONGEST_DOMAIN: usize = 255;

/// The address whose `@` stands at `at`: dotted ASCII local part, domain of two labels or more, the last of
/// letters.
pub(super) fn around(text: &str, at: usize) -> Option<Found> {
    let bytes = text.as_bytes();
    let local = bytes[..at].iter().rev().take(LONGEST_LOCAL + 1).take_while(|b| is_local(**b)).count();
    let mut start = at - local;
    while start < at && bytes[start] == b'.' {
        start += 1;
    }
    let domain = bytes[at + 1..].iter().take(LONGEST_DOMAIN).take_while(|b| is_domain(**b)).count();
    let mut end = at + 1 + domain;
    while end > at + 1 && matches!(bytes[end - 1], b'.' | b'-') {
        end -= 1;
    }
    let address = &text[start..end];
    (local <= LONGEST_LOCAL && is_address(address)).then(|| Found {
        kind: Kind::Email,
        start,
        end,
        value: address.to_owned(),
    })
}

/// Whether `address` is a mail address as [`around`] finds it.
pub(crate) fn is_address(address: &str) -> bool {
    let Some((local, domain)) = address.split_once('@') else { return false };
    let Some((_, top)) = domain.rsplit_once('.') else { return false };
    !local.is_empty()
        && local.len() <= LONGEST_LOCAL
        && local.bytes().all(is_local)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && domain.len() <= LONGEST_DOMAIN
        && domain.split('.').all(is_label)
        && (2..=24).contains(&top.len())
        && top.bytes().all(|b| b.is_ascii_alphabetic())
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= 63
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-')
}

fn is_domain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')
}
