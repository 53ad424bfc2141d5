//! Arrays as PostgreSQL writes them in text.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StringArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DataType, FieldRef};

use crate::error::Result;

/// A one-dimensional `{1,NULL,"a \"b\""}`. `None` elements are NULL.
pub fn elements(text: &str) -> Option<Vec<Option<String>>> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let mut elements = Vec::new();
    let mut letters = inner.chars().peekable();
    if inner.trim().is_empty() {
        return Some(elements);
    }
    loop {
        let (mut element, mut quoted) = (String::new(), false);
        loop {
            match letters.peek().copied() {
                None | Some(',') => break,
                Some('"') if element.trim().is_empty() && !quoted => {
                    letters.next();
                    quoted = true;
                    element.clear();
                    loop {
                        match letters.next()? {
                            '"' => break,
                            '\\' => element.push(letters.next()?),
                            letter => element.push(letter),
                        }
                    }
                }
                Some('{' | '}' | '"') => return None,
                Some(letter) if quoted && !letter.is_whitespace() => return None,
                Some('\\') => {
                    letters.next();
                    element.push(letters.next()?);
                }
                Some(letter) => {
                    letters.next();
                    if !quoted {
                        element.push(letter);
                    }
                }
            }
        }
        elements.push(match element.trim() {
            _ if quoted => Some(element),
            "" => return None,
            bare if bare.eq_ignore_ascii_case("null") => None,
            bare => Some(bare.to_owned()),
        });
        if letters.next().is_none() {
            return Some(elements);
        }
    }
}

/// The lists that texts stand for; NULL for a text that is no list of such items.
pub(crate) fn lists(texts: &ArrayRef, item: &FieldRef) -> Result<ArrayRef> {
    let texts = cast(texts, &DataType::Utf8)?;
    let (mut items, mut lengths, mut valid) = (Vec::new(), Vec::new(), Vec::new());
    for text in texts.as_string::<i32>() {
        let found = text.and_then(elements);
        valid.push(found.is_some());
        let before = items.len();
        items.extend(found.unwrap_or_default());
        lengths.push(items.len() - before);
    }
    let items: ArrayRef = Arc::new(StringArray::from(items));
    let options = CastOptions { safe: true, ..CastOptions::default() };
    let converted = cast_with_options(&items, item.data_type(), &options)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    for (row, place) in offsets.windows(2).enumerate() {
        let mut places = place[0] as usize..place[1] as usize;
        valid[row] &= !places.any(|place| converted.is_null(place) && items.is_valid(place));
    }
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, converted, Some(NullBuffer::from(valid)))?))
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Field;

    use super::*;

    #[test]
    fn texts_become_lists() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec![
            Some("{1,NULL,3}"),
            Some("{}"),
            None,
            Some("{1,x}"),
            Some("1,2"),
        ]));
        let item = Arc::new(Field::new_list_field(DataType::Int32, true));
        let found = lists(&texts, &item).unwrap();
        let valid: Vec<bool> = (0..found.len()).map(|row| found.is_valid(row)).collect();
        assert_eq!(valid, [true, true, false, false, false]);
        let lists = found.as_list::<i32>();
        assert_eq!((lists.value(0).len(), lists.value(0).null_count(), lists.value(1).len()), (3, 1, 0));
    }
}
