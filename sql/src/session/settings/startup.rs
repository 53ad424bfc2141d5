//! The parameter `options` of the start-up message: switches, as the `postgres` program takes them.

use voxhouse_engine::{Error, Result};

/// Names and values of `-c name=value`, `-cname=value` and `--name=value`.
pub(super) fn assignments(options: &str) -> Result<Vec<(String, String)>> {
    let mut assignments = Vec::new();
    let mut words = words(options).into_iter();
    while let Some(word) = words.next() {
        let assignment = match word.strip_prefix("-c").or_else(|| word.strip_prefix("--")) {
            Some("") if word == "-c" => words.next(),
            Some(assignment) => Some(assignment.to_owned()),
            None => None,
        };
        let Some(assignment) = assignment else {
            let message = format!("invalid command-line argument for server process: {word}");
            return Err(Error::syntax(message).with_hint("Parameters are set by -c name=value."));
        };
        let Some((name, value)) = assignment.split_once('=') else {
            return Err(Error::syntax(format!("-c {assignment} requires a value")));
        };
        assignments.push((name.replace('-', "_"), value.to_owned()));
    }
    Ok(assignments)
}

/// Words between blanks; a backslash takes the next letter as it is.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => word.get_or_insert_default().extend(letters.next()),
            blank if blank.is_whitespace() => words.extend(word.take()),
            letter => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_are_settings() {
        let is = |text: &str, expected: &[(&str, &str)]| {
            let found = assignments(text).unwrap();
            let found: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(found, expected, "{text}");
        };
        is("-c statement_timeout=5s  -csearch_path=o", &[("statement_timeout", "5s"), ("search_path", "o")]);
        is("--application-name=a\\ b\\\\c", &[("application_name", "a b\\c")]);
        is("-c a.b=", &[("a.b", "")]);
        is("", &[]);
        for wrong in ["-c", "-c x", "-d 5", "x=1", "--x"] {
            assert_eq!(assignments(wrong).unwrap_err().sqlstate(), "42601", "{wrong}");
        }
    }
}
