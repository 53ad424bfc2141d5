//! Language, script, and the normal forms of names, numbers and addresses by which records of one person meet. Rules are
//! told in [`crate::script`].

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, StringBuilder};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Volatility;

use crate::entry::{Definition, Entry};
use crate::scalar::{self, Columns, text};
use crate::{privacy, script};

const TEXT: &str = "Text";
const KEYS: &str = "Identity keys";

const LANGUAGE: Definition = Definition {
    name: "language",
    arguments: "text",
    returns: "text",
    volatility: Volatility::Immutable,
    description: "Language of a text as its ISO 639-1 code, such as zh or en; und where nothing tells.",
    example: "SELECT language('配送太慢了'), language('the delivery was late'), language('42')",
    example_result: "zh|en|und",
};

const TO_SIMPLIFIED: Definition = Definition {
    name: "to_simplified",
    description: "The text in simplified Chinese characters.",
    example: "SELECT to_simplified('網絡很慢')",
    example_result: "网络很慢",
    ..LANGUAGE
};

const TO_TRADITIONAL: Definition = Definition {
    name: "to_traditional",
    description: "The text in traditional Chinese characters.",
    example: "SELECT to_traditional('网络很慢')",
    example_result: "網絡很慢",
    ..LANGUAGE
};

const PINYIN: Definition = Definition {
    name: "pinyin",
    description: "The text with its Chinese characters written in pinyin without tones.",
    example: "SELECT pinyin('重庆')",
    example_result: "chong qing",
    ..LANGUAGE
};

const PINYIN_INITIALS: Definition = Definition {
    name: "pinyin_initials",
    description: "The first letters of the pinyin of a text's Chinese characters, as people type to find a name.",
    example: "SELECT pinyin_initials('王小明')",
    example_result: "wxm",
    ..LANGUAGE
};

const NAME_KEY: Definition = Definition {
    name: "name_key",
    description: "The form in which spellings of one person's name meet: pinyin without titles. NULL where nothing is left of \
                  a name.",
    example: "SELECT name_key('張偉先生') = name_key('张伟')",
    example_result: "true",
    ..LANGUAGE
};

const PHONE_NORMALIZE: Definition = Definition {
    name: "phone_normalize",
    arguments: "text [, country]",
    description: "A telephone number in the form of E.164, such as +8613800138000; NULL where the text is none. country is the \
                  code of the country of numbers without one, CN unless given.",
    example: "SELECT phone_normalize('0086 138-0013-8000'), phone_normalize('无')",
    example_result: "+8613800138000|",
    ..LANGUAGE
};

const EMAIL_NORMALIZE: Definition = Definition {
    name: "email_normalize",
    description: "A mail address in lower case without blanks around; NULL where the text is none.",
    example: "SELECT email_normalize(' Li.Wei@Example.COM '), email_normalize('none')",
    example_result: "li.wei@example.com|",
    ..LANGUAGE
};

const COMPANY_KEY: Definition = Definition {
    name: "company_key",
    description: "The form in which spellings of one company's name meet, without its legal form. NULL where nothing is left.",
    example: "SELECT company_key('华为技术有限公司') = company_key('华为技术')",
    example_result: "true",
    ..LANGUAGE
};

const ADDRESS_KEY: Definition = Definition {
    name: "address_key",
    description: "The form in which spellings of one address meet. NULL where nothing is left of an address.",
    example: "SELECT address_key('浙江省杭州市西湖区文三路 90 号') = address_key('浙江省杭州市西湖区文三路90号')",
    example_result: "true",
    ..LANGUAGE
};

const ID_CARD_VALID: Definition = Definition {
    name: "id_card_valid",
    returns: "boolean",
    description: "Whether a text is a Chinese identity number whose date and check digit are right (GB 11643).",
    example: "SELECT id_card_valid('11010519491231002X'), id_card_valid('110105194912310021')",
    example_result: "true|false",
    ..LANGUAGE
};

/// A function of one text that returns a text or NULL.
macro_rules! of_text {
    ($definition:expr, $section:expr, $kernel:expr) => {
        scalar::entry($definition, &[text()], 0, DataType::Utf8, $section, |columns| {
            each_text(columns, |text| $kernel(text))
        })
    };
}

pub(crate) fn entries() -> Vec<Entry> {
    vec![
        of_text!(LANGUAGE, TEXT, |text| Some(script::language(text).to_owned())),
        of_text!(TO_SIMPLIFIED, TEXT, |text| Some(script::to_simplified(text))),
        of_text!(TO_TRADITIONAL, TEXT, |text| Some(script::to_traditional(text))),
        of_text!(PINYIN, TEXT, |text| Some(script::pinyin(text))),
        of_text!(PINYIN_INITIALS, TEXT, |text| Some(script::pinyin_initials(text))),
        of_text!(NAME_KEY, KEYS, script::name_key),
        scalar::entry(PHONE_NORMALIZE, &[text(), text()], 1, DataType::Utf8, KEYS, phones),
        of_text!(EMAIL_NORMALIZE, KEYS, script::email_normalize),
        of_text!(COMPANY_KEY, KEYS, script::company_key),
        of_text!(ADDRESS_KEY, KEYS, script::address_key),
        scalar::entry(ID_CARD_VALID, &[text()], 0, DataType::Boolean, KEYS, id_cards),
    ]
}

fn each_text(columns: &Columns, kernel: impl Fn(&str) -> Option<String>) -> Result<ArrayRef> {
    let texts = columns.text(0)?;
    let mut results = StringBuilder::new();
    for row in 0..columns.rows() {
        results.append_option(texts.get(row).and_then(&kernel));
    }
    Ok(Arc::new(results.finish()))
}

fn phones(columns: &Columns) -> Result<ArrayRef> {
    let texts = columns.text(0)?;
    let countries = if columns.has(1) { Some(columns.text(1)?) } else { None };
    let mut results = StringBuilder::new();
    for row in 0..columns.rows() {
        let country = match &countries {
            Some(countries) => countries.get(row).map(Some),
            None => Some(None),
        };
        let number = country.and_then(|country| script::phone_normalize(texts.get(row)?, country));
        results.append_option(number);
    }
    Ok(Arc::new(results.finish()))
}

fn id_cards(columns: &Columns) -> Result<ArrayRef> {
    let texts = columns.text(0)?;
    let is_valid = |row| texts.get(row).map(privacy::id_card_valid);
    Ok(Arc::new((0..columns.rows()).map(is_valid).collect::<BooleanArray>()))
}
