//! Identifiers made comparable: the same phone written in two ways is one identifier.

/// The form under which an identifier is compared; `None` when it says nothing. NULL and blank never equal
/// anything.
pub fn normalise(key_type: &str, value: &str) -> Option<String> {
    let value = value.trim();
    if value.is_empty() {
        return None;
    }
    let normal = match key_type {
        "email" => value.to_lowercase(),
        "phone" => phone(value),
        "id_card" => value.to_uppercase(),
        _ => value.to_owned(),
    };
    (!normal.is_empty()).then_some(normal)
}

/// Digits only, full-width ones included, without China's country code. Of a masked number too little is left to
/// name anybody.
fn phone(value: &str) -> String {
    if value.contains(['*', '＊']) {
        return String::new();
    }
    let digits: String = value.chars().filter_map(ascii_digit).collect();
    let international = value.trim_start().starts_with(['+', '＋']);
    let rest = digits.strip_prefix("0086").or_else(|| {
        let national = digits.strip_prefix("86")?;
        (international || national.len() == 11).then_some(national)
    });
    rest.unwrap_or(&digits).to_owned()
}

fn ascii_digit(letter: char) -> Option<char> {
    match letter {
        '0'..='9' => Some(letter),
        '０'..='９' => char::from_digit(letter as u32 - '０' as u32, 10),
        _ => None,
    }
}

/// Whether an identifier means something only within its source system.
pub fn is_scoped(key_type: &str) -> bool {
    matches!(key_type, "record_id" | "order_id")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_phone_has_one_form() {
        for written in [
            "13912345678",
            "+86 139-1234-5678",
            "0086 13912345678",
            "8613912345678",
            "１３９１２３４５６７８",
        ] {
            assert_eq!(normalise("phone", written).as_deref(), Some("13912345678"), "{written}");
        }
        assert_eq!(normalise("phone", "+44 20 7946 0958").as_deref(), Some("442079460958"));
        assert_eq!(normalise("phone", "无"), None);
        assert_eq!(normalise("phone", "138****8000"), None);
    }

    #[test]
    fn blank_is_no_identifier() {
        assert_eq!(normalise("email", "  "), None);
        assert_eq!(normalise("email", " A@B.CN ").as_deref(), Some("a@b.cn"));
        assert_eq!(normalise("member_no", "000123").as_deref(), Some("000123"));
    }
}
