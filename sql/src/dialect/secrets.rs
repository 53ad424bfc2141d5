//! Passwords in statements: they reach neither the text that is kept of a statement nor the words of an error.

use std::borrow::Cow;

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};
use voxhouse_engine::Error;

use super::{DIALECT, Places, roles};

/// What is shown in the place of a secret.
const BLOT: &str = "********";

/// The strings of a statement that may be passwords: all of a statement that makes or changes a role, but for dates.
pub(super) fn of(part: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let solid: Vec<&TokenWithSpan> =
        part.iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).collect();
    let words: Vec<String> =
        solid.iter().take(2).map(|token| token.token.to_string().to_lowercase()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if !roles::may_hold_password(&words) {
        return Vec::new();
    }
    let follows =
        |place: usize, word: &str| place > 0 && solid[place - 1].token.to_string().eq_ignore_ascii_case(word);
    let is_secret = |(place, token): &(usize, &&TokenWithSpan)| match &token.token {
        // A password that was not quoted, or wrongly: the statement fails, and must not repeat it.
        Token::Word(word) => follows(*place, "password") && !word.value.eq_ignore_ascii_case("null"),
        Token::Number(..) => follows(*place, "password"),
        string => content(string).is_some() && !follows(*place, "until"),
    };
    solid.iter().enumerate().filter(is_secret).map(|(_, token)| (*token).clone()).collect()
}

fn content(token: &Token) -> Option<&str> {
    match token {
        Token::SingleQuotedString(text)
        | Token::EscapedStringLiteral(text)
        | Token::UnicodeStringLiteral(text)
        | Token::NationalStringLiteral(text)
        | Token::HexStringLiteral(text) => Some(text),
        Token::DollarQuotedString(text) => Some(&text.value),
        Token::Word(word) => Some(&word.value),
        Token::Number(digits, _) => Some(digits),
        _ => None,
    }
}

/// The statement's text without its secrets. `text` is what it was cut to.
pub(super) fn blot_out(
    secrets: &[TokenWithSpan],
    part: &[TokenWithSpan],
    text: String,
    places: &mut Places<'_>,
) -> String {
    if secrets.is_empty() {
        return text;
    }
    let solid = || part.iter().filter(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF));
    let (Some(first), Some(last)) = (solid().next(), solid().next_back()) else { return text };
    let sql = places.sql;
    let mut at = places.byte_offset(first.span.start);
    let mut shown = String::with_capacity(text.len());
    for secret in secrets {
        let start = places.byte_offset(secret.span.start);
        shown.push_str(sql.get(at..start).unwrap_or_default());
        shown.push_str(&format!("'{BLOT}'"));
        at = places.byte_offset(secret.span.end);
    }
    let end = places.byte_offset(last.span.end);
    shown.push_str(sql.get(at..end).unwrap_or_default());
    shown.trim().to_owned()
}

/// The error without the secrets.
pub(super) fn hush(secrets: &[TokenWithSpan], error: Error) -> Error {
    let written = secrets.iter().filter_map(|token| content(&token.token));
    let found = |text: &str| written.clone().any(|secret| !secret.is_empty() && text.contains(secret));
    if !found(error.message()) && !error.detail().is_some_and(found) {
        return error;
    }
    let hushed = Error::new(error.kind(), format!("syntax error at or near \"'{BLOT}'\""));
    match error.position() {
        Some(position) => hushed.with_position(position),
        None => hushed,
    }
}

/// A query string as others may see it, in a list of what runs or in a log.
pub fn without_passwords(sql: &str) -> Cow<'_, str> {
    let lower = sql.to_ascii_lowercase();
    let Some(first) = ["password", "encrypted"].iter().filter_map(|word| lower.find(word)).min() else {
        return Cow::Borrowed(sql);
    };
    let Ok(tokens) = Tokenizer::new(&DIALECT, sql).tokenize_with_location() else {
        // Not even words: nobody can tell where a password ends.
        return Cow::Owned(format!("{}…", sql.get(..first).unwrap_or_default()));
    };
    let secrets: Vec<TokenWithSpan> =
        tokens.split(|token| token.token == Token::SemiColon).flat_map(of).collect();
    if secrets.is_empty() {
        return Cow::Borrowed(sql);
    }
    Cow::Owned(blot_out(&secrets, &tokens, String::new(), &mut Places::new(sql)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_blotted_out_and_nothing_else() {
        let cases = [
            (
                "CREATE ROLE a PASSWORD 'x y' VALID UNTIL '2031-01-01'",
                "CREATE ROLE a PASSWORD '********' VALID UNTIL '2031-01-01'",
            ),
            (
                "select 1; alter user \"a\" encrypted password $q$x$q$; select 'z'",
                "select 1; alter user \"a\" encrypted password '********'; select 'z'",
            ),
            ("ALTER ROLE a PASSWORD NULL", "ALTER ROLE a PASSWORD NULL"),
            (
                "ALTER ROLE a PASSWORD 'x' VALID UNTIL 'y' SUPER 'z'",
                "ALTER ROLE a PASSWORD '********' VALID UNTIL 'y' SUPER '********'",
            ),
            ("SELECT 'password' FROM password", "SELECT 'password' FROM password"),
            ("CREATE ROLE a PASSWORD E'x\\'y'", "CREATE ROLE a PASSWORD '********'"),
            ("CREATE ROLE a PASSWORD x1", "CREATE ROLE a PASSWORD '********'"),
        ];
        for (sql, shown) in cases {
            assert_eq!(without_passwords(sql), shown);
        }
        assert_eq!(without_passwords("CREATE ROLE a PASSWORD 'x"), "CREATE ROLE a …");
    }
}
