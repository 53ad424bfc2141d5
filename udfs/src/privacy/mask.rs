//! What stays of a value when it is masked.

use super::Kind;
use super::address::region_length;
use super::surname::compound;

const MASK: &str = "****";

/// Appends the mask of `value`, as the table at [`super::mask_pii`] has it.
pub(super) fn push(masked: &mut String, kind: Kind, value: &str) {
    match kind {
        Kind::Phone => keep(masked, value.trim_start_matches('+'), 3, 4),
        Kind::IdCard => keep(masked, value, 3, 2),
        Kind::Ssn | Kind::BankCard => keep(masked, value, 0, 4),
        Kind::Passport => keep(masked, value, 1, 2),
        Kind::Plate | Kind::Wechat | Kind::Qq => keep(masked, value, 2, 0),
        Kind::Email => {
            let (local, domain) = value.split_once('@').unwrap_or((value, ""));
            masked.extend(local.chars().take(1));
            masked.push_str("***@");
            masked.push_str(domain);
        }
        Kind::Ip => {
            for part in value.split('.').take(2) {
                masked.push_str(part);
                masked.push('.');
            }
            masked.push_str("*.*");
        }
        Kind::Address => {
            masked.push_str(&value[..region_length(value)]);
            masked.push_str(MASK);
        }
        Kind::Name => push_name(masked, value),
    }
}

fn keep(masked: &mut String, value: &str, first: usize, last: usize) {
    let length = value.chars().count();
    masked.extend(value.chars().take(first));
    masked.push_str(MASK);
    masked.extend(value.chars().skip(length.saturating_sub(last).max(first)));
}

fn push_name(masked: &mut String, name: &str) {
    if name.starts_with(|c: char| c < '\u{2e80}') {
        for (place, word) in name.split(' ').enumerate() {
            if place > 0 {
                masked.push(' ');
            }
            masked.extend(word.chars().take(1));
            masked.push_str("***");
        }
        return;
    }
    let surname = compound(name).map_or(1, |surname| surname.chars().count());
    if name.chars().count() > surname {
        masked.extend(name.chars().take(surname));
    }
    masked.push_str("**");
}
