//! The file formats that the sources come in: CSV with quotes, JSON objects, records of three lines.

/// The rows of a CSV or TSV text, each by column, without the byte-order mark. Quotes may hold line breaks.
pub fn csv(text: &str, separator: char) -> Vec<Vec<String>> {
    let text = text.trim_start_matches('\u{feff}');
    let mut rows = Vec::new();
    let mut row = vec![String::new()];
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let cell = row.last_mut().expect("a row has a cell");
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                cell.push('"');
                characters.next();
            }
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() => quoted = true,
            '\n' if !quoted => rows.push(std::mem::replace(&mut row, vec![String::new()])),
            '\r' if !quoted => {}
            other if other == separator && !quoted => row.push(String::new()),
            other => cell.push(other),
        }
    }
    if row.len() > 1 || !row[0].is_empty() {
        rows.push(row);
    }
    rows
}

/// The objects of a JSON text (an array or one a line) as key and value; only flat strings and numbers.
pub fn json(text: &str) -> Vec<Vec<(String, String)>> {
    let mut objects = Vec::new();
    let mut object: Vec<(String, String)> = Vec::new();
    let mut key: Option<String> = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '{' => object.clear(),
            '}' => objects.push(std::mem::take(&mut object)),
            '"' => {
                let string = json_string(&mut characters);
                match key.take() {
                    Some(name) => object.push((name, string)),
                    None => key = Some(string),
                }
            }
            '0'..='9' | '-' => {
                let mut number = String::from(character);
                while let Some(next) = characters.next_if(|c| c.is_ascii_digit() || *c == '.') {
                    number.push(next);
                }
                if let Some(name) = key.take() {
                    object.push((name, number));
                }
            }
            _ => {}
        }
    }
    objects
}

fn json_string(characters: &mut std::iter::Peekable<std::str::Chars>) -> String {
    let mut string = String::new();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => match characters.next() {
                Some('n') => string.push('\n'),
                Some('t') => string.push('\t'),
                Some('u') => string.push(json_escape(characters)),
                Some(other) => string.push(other),
                None => break,
            },
            other => string.push(other),
        }
    }
    string
}

/// Four hexadecimal digits; half of a pair is left out.
fn json_escape(characters: &mut std::iter::Peekable<std::str::Chars>) -> char {
    let digits: String = characters.by_ref().take(4).collect();
    u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32).unwrap_or(' ')
}

/// Records of three lines: text with `$T$`, aspect, polarity. Gives text and polarity.
pub fn aspects(text: &str, spaced: bool) -> Vec<(String, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let close = |text: String| if spaced { text.replace(' ', "") } else { text };
    lines
        .chunks_exact(3)
        .map(|record| (close(record[0].replace("$T$", record[1])), record[2].trim().to_lowercase()))
        .collect()
}
