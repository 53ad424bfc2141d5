//! The language of a text.
//!
//! Scripts that one language owns decide by count of characters: Han without kana is Chinese, kana Japanese,
//! Hangul Korean, Thai, Greek, Hebrew and others likewise. Han and kana count sixfold, so that a product name in
//! Latin letters does not turn a Chinese review into an English one. What is in Latin, Cyrillic, Arabic or Devanagari letters is told apart by the
//! `whichlang` model (16 languages), after letters that only one language uses (ł is Polish, ї Ukrainian).

use super::width::is_han;

/// Letters from which on the model is asked.
const FEWEST_LETTERS: usize = 2;

/// ISO 639-1 code of the language of `text`; `und` if it has too few letters for one. Web addresses, mentions
/// and everything that is no letter are left out.
pub(crate) fn language(text: &str) -> &'static str {
    let counts = Counts::of(text);
    if let Some(code) = counts.by_script() {
        return code;
    }
    if counts.modelled < FEWEST_LETTERS {
        return "und";
    }
    counts.by_letter().unwrap_or_else(|| by_model(text))
}

#[derive(Debug, Clone, Default)]
struct Counts {
    han: usize,
    kana: usize,
    hangul: usize,
    /// Letters of the scripts of `SCRIPTS`, in their order.
    owned: [usize; SCRIPTS.len()],
    /// Letters of scripts that several languages share.
    modelled: usize,
    /// Letters of `LETTERS`, in their order.
    distinctive: [usize; LETTERS.len()],
}

/// Scripts that one language owns.
const SCRIPTS: [(char, char, &str); 12] = [
    ('\u{0e00}', '\u{0e7f}', "th"),
    ('\u{0370}', '\u{03ff}', "el"),
    ('\u{0590}', '\u{05ff}', "he"),
    ('\u{10a0}', '\u{10ff}', "ka"),
    ('\u{0530}', '\u{058f}', "hy"),
    ('\u{0980}', '\u{09ff}', "bn"),
    ('\u{0b80}', '\u{0bff}', "ta"),
    ('\u{0c00}', '\u{0c7f}', "te"),
    ('\u{0e80}', '\u{0eff}', "lo"),
    ('\u{1000}', '\u{109f}', "my"),
    ('\u{1780}', '\u{17ff}', "km"),
    ('\u{0f00}', '\u{0fff}', "bo"),
];

/// Letters that only languages use which the model does not know.
const LETTERS: [(&str, &str); 6] = [
    ("łżźńśćąęŁŻŹŚĆĄĘ", "pl"),
    ("řěůŘĚŮ", "cs"),
    ("őűŐŰ", "hu"),
    ("țșȚȘ", "ro"),
    ("їєґЇЄҐ", "uk"),
    ("پچگکی", "fa"),
];

impl Counts {
    fn of(text: &str) -> Self {
        let mut counts = Self::default();
        for word in text.split_whitespace().filter(|word| !is_address(word)) {
            word.chars().for_each(|c| counts.add(c));
        }
        counts
    }

    fn add(&mut self, c: char) {
        if c.is_ascii() {
            self.modelled += usize::from(c.is_ascii_alphabetic());
            return;
        }
        match c {
            '\u{3041}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}' | '\u{ff66}'..='\u{ff9d}' => self.kana += 1,
            '\u{ac00}'..='\u{d7af}' | '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' => self.hangul += 1,
            _ if is_han(c) => self.han += 1,
            _ if !c.is_alphabetic() => {}
            _ => self.add_letter(c),
        }
    }

    fn add_letter(&mut self, c: char) {
        if let Some(place) = SCRIPTS.iter().position(|(first, last, _)| (*first..=*last).contains(&c)) {
            self.owned[place] += 1;
            return;
        }
        self.modelled += usize::from(!('\u{ff21}'..='\u{ff5a}').contains(&c));
        if let Some(place) = LETTERS.iter().position(|(letters, _)| letters.contains(c)) {
            self.distinctive[place] += 1;
        }
    }

    /// The language whose script most of the text is in, if the script says it.
    fn by_script(&self) -> Option<&'static str> {
        let east = 6 * (self.han + self.kana) + 3 * self.hangul;
        let (place, owned) =
            self.owned.iter().enumerate().max_by_key(|(place, n)| (**n, std::cmp::Reverse(*place)))?;
        if east > 0 && east >= self.modelled && east >= *owned {
            let code = match () {
                () if self.hangul > self.han + self.kana => "ko",
                // Chinese texts quote a の; Japanese has kana in every second place.
                () if self.kana * 5 > self.han => "ja",
                () => "zh",
            };
            return Some(code);
        }
        (*owned > 0 && *owned >= self.modelled).then(|| SCRIPTS[place].2)
    }

    fn by_letter(&self) -> Option<&'static str> {
        let (place, most) =
            self.distinctive.iter().enumerate().max_by_key(|(place, n)| (**n, std::cmp::Reverse(*place)))?;
        (*most * 40 >= self.modelled && *most > 0).then(|| LETTERS[place].1)
    }
}

fn is_address(word: &str) -> bool {
    word.starts_with("http://")
        || word.starts_with("https://")
        || word.starts_with("www.")
        || word.starts_with('@')
}

fn by_model(text: &str) -> &'static str {
    use whichlang::Lang;
    match whichlang::detect_language(text) {
        Lang::Ara => "ar",
        Lang::Cmn => "zh",
        Lang::Deu => "de",
        Lang::Eng => "en",
        Lang::Fra => "fr",
        Lang::Hin => "hi",
        Lang::Ita => "it",
        Lang::Jpn => "ja",
        Lang::Kor => "ko",
        Lang::Nld => "nl",
        Lang::Por => "pt",
        Lang::Rus => "ru",
        Lang::Spa => "es",
        Lang::Swe => "sv",
        Lang::Tur => "tr",
        Lang::Vie => "vi",
    }
}
