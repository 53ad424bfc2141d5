//! Mail addresses in the form under which they are compared.

use super::width::fold;
use crate::privacy::is_email;

/// Lower-case, half-width, without `mailto:` and angle brackets; `None` if it is no mail address. What follows a
/// `+` is cut off, and at Gmail, where dots do not count, the dots go and the domain is `gmail.com`.
pub(crate) fn email_normalize(text: &str) -> Option<String> {
    let folded: String = text.trim().chars().map(fold).collect();
    let inner = match (folded.rfind('<'), folded.rfind('>')) {
        (Some(open), Some(close)) if open < close => folded.get(open + 1..close)?,
        _ => folded.as_str(),
    };
    let address = inner.trim().trim_start_matches("mailto:");
    if !is_email(address) {
        return None;
    }
    let (local, domain) = address.split_once('@')?;
    let local = local.split('+').next().filter(|local| !local.is_empty()).unwrap_or(local);
    if matches!(domain, "gmail.com" | "googlemail.com") {
        return Some(format!("{}@gmail.com", local.replace('.', "")));
    }
    Some(format!("{local}@{domain}"))
}
