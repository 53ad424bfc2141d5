//! Which identifiers say who somebody is, and which values of them say nothing.
//!
//! A value that more records hold than its policy allows (a hotline, a shop's own phone, `无`) is blocked: it is
//! found from the data at each refresh. So are well-known placeholders, whoever holds them.

use std::collections::{BTreeMap, HashMap};

use super::key::normalise;

/// What is known about a type of identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub key_type: String,
    /// Equal values are one person, whatever else differs.
    pub merges: bool,
    /// Plainly different values are two, whatever else agrees.
    pub separates: bool,
    /// Records that may hold one value before it counts as shared.
    pub most_records: u32,
}

/// Policies of a new warehouse: key type, merges, separates, most records.
const DEFAULTS: [(&str, bool, bool, u32); 6] = [
    ("id_card", true, true, 10),
    ("wechat_unionid", true, false, 20),
    ("wechat_openid", true, false, 20),
    ("member_no", true, false, 20),
    ("email", false, false, 30),
    ("phone", false, false, 30),
];

/// The policies before anybody has changed them, the strongest identifier first.
pub fn defaults() -> Vec<Policy> {
    let policy = |(key_type, merges, separates, most_records): &(&str, bool, bool, u32)| Policy {
        key_type: (*key_type).to_owned(),
        merges: *merges,
        separates: *separates,
        most_records: *most_records,
    };
    DEFAULTS.iter().map(policy).collect()
}

/// A value that joins nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockedValue {
    pub key_type: String,
    /// In its normal form.
    pub value: String,
    pub reason: Reason,
    /// Records that hold it.
    pub records: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Held by more records than its policy allows.
    Shared,
    /// Known to be written where nothing is known.
    Placeholder,
    /// Somebody put it into the table.
    User,
}

impl Reason {
    pub fn name(self) -> &'static str {
        match self {
            Reason::Shared => "shared",
            Reason::Placeholder => "placeholder",
            Reason::User => "user",
        }
    }

    pub fn of_name(name: &str) -> Self {
        match name {
            "shared" => Reason::Shared,
            "placeholder" => Reason::Placeholder,
            _ => Reason::User,
        }
    }
}

/// Counts who holds what, and tells which values are blocked.
#[derive(Debug, Default)]
pub struct Holders {
    /// By key type and value.
    records: HashMap<String, HashMap<String, u64>>,
}

impl Holders {
    /// One record more that holds a value.
    pub fn add(&mut self, key_type: &str, value: &str) {
        let Some(value) = normalise(key_type, value) else { return };
        match self.records.get_mut(key_type) {
            Some(values) => *values.entry(value).or_default() += 1,
            None => drop(self.records.insert(key_type.to_owned(), HashMap::from([(value, 1)]))),
        }
    }

    fn of(&self, key_type: &str, value: &str) -> u64 {
        self.records.get(key_type).and_then(|values| values.get(value)).copied().unwrap_or(0)
    }

    /// The blocked values, in order. `by_user` are those that somebody wrote down.
    pub fn blocked(&self, policies: &[Policy], by_user: &[(String, String)]) -> Vec<BlockedValue> {
        let mut found: BTreeMap<(String, String), (Reason, u64)> = BTreeMap::new();
        for (key_type, values) in &self.records {
            let policy = policies.iter().find(|policy| policy.key_type == *key_type);
            let most = policy.map_or(u64::MAX, |policy| u64::from(policy.most_records));
            for (value, records) in values {
                let reason = match is_placeholder(key_type, value) {
                    true => Reason::Placeholder,
                    false if *records > most => Reason::Shared,
                    false => continue,
                };
                found.insert((key_type.clone(), value.clone()), (reason, *records));
            }
        }
        for (key_type, value) in by_user {
            let Some(value) = normalise(key_type, value) else { continue };
            let records = self.of(key_type, &value);
            found.insert((key_type.clone(), value), (Reason::User, records));
        }
        let value =
            |((key_type, value), (reason, records))| BlockedValue { key_type, value, reason, records };
        found.into_iter().map(value).collect()
    }
}

/// Whether a normal form is one of those that people type to get past a field.
pub fn is_placeholder(key_type: &str, value: &str) -> bool {
    const NOTHING: [&str; 14] = [
        "无",
        "未知",
        "匿名",
        "暂无",
        "没有",
        "null",
        "none",
        "n/a",
        "na",
        "nan",
        "unknown",
        "anonymous",
        "-",
        "test",
    ];
    if NOTHING.contains(&value.to_lowercase().as_str()) {
        return true;
    }
    match key_type {
        "phone" => is_made_up_phone(value),
        "email" => is_made_up_email(value),
        "record_id" | "order_id" => false,
        _ => value.chars().all(|letter| matches!(letter, '0' | '-' | '*' | 'x' | 'X')),
    }
}

/// All digits equal after the first, the numbers of the phone companies' examples, or a run of digits.
fn is_made_up_phone(digits: &str) -> bool {
    const KNOWN: [&str; 5] = ["13800138000", "12345678901", "12345678900", "12345678", "1234567890"];
    let mut rest = digits.chars().skip(1);
    let all_alike = digits.len() >= 7 && rest.next().is_some_and(|second| rest.all(|digit| digit == second));
    all_alike || KNOWN.contains(&digits)
}

fn is_made_up_email(address: &str) -> bool {
    const NAMES: [&str; 9] =
        ["test", "null", "none", "no", "noreply", "no-reply", "unknown", "na", "anonymous"];
    address.split_once('@').is_none_or(|(name, host)| NAMES.contains(&name) || host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_too_many_hold_is_blocked() {
        let mut holders = Holders::default();
        for _ in 0..31 {
            holders.add("phone", "400 800 1234");
        }
        for _ in 0..30 {
            holders.add("phone", "+86 13912345678");
        }
        holders.add("phone", "138-0013-8000");
        holders.add("email", "test@example.com");
        holders.add("email", "li@example.com");
        let blocked = holders.blocked(&defaults(), &[("email".into(), "LI@example.com".into())]);
        let told: Vec<_> = blocked.iter().map(|b| (b.value.as_str(), b.reason.name(), b.records)).collect();
        assert_eq!(
            told,
            [
                ("li@example.com", "user", 1),
                ("test@example.com", "placeholder", 1),
                ("13800138000", "placeholder", 1),
                ("4008001234", "shared", 31),
            ]
        );
    }

    #[test]
    fn placeholders_are_told_by_their_look() {
        for (key_type, value) in [
            ("phone", "00000000000"),
            ("phone", "11111111"),
            ("member_no", "无"),
            ("id_card", "000"),
            ("email", "none@x.cn"),
        ] {
            assert!(is_placeholder(key_type, value), "{value}");
        }
        for (key_type, value) in [("phone", "13912345678"), ("member_no", "10"), ("email", "testa@x.cn")] {
            assert!(!is_placeholder(key_type, value), "{value}");
        }
    }
}
