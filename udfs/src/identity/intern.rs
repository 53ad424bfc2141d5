//! Distinct texts numbered from 0 in the order of their first appearance.

use super::hash::hash_bytes;

/// Stands for "no value" in a column of codes.
pub(crate) const MISSING: u32 = u32::MAX;

/// A set of texts, each with a code. All texts lie in one buffer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interner {
    text: String,
    /// Where each text ends; it begins where the one before ends.
    ends: Vec<usize>,
    /// Open addressing: code + 1, or 0 for an empty slot. The length is a power of two.
    slots: Vec<u32>,
}

impl Interner {
    /// The code of `text`, a new one if it was not seen before.
    pub(crate) fn intern(&mut self, text: &str) -> u32 {
        if (self.ends.len() + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let slot = self.slot(text);
        match self.slots[slot].checked_sub(1) {
            Some(code) => code,
            None => {
                let code = self.ends.len() as u32;
                self.text.push_str(text);
                self.ends.push(self.text.len());
                self.slots[slot] = code + 1;
                code
            }
        }
    }

    /// The code of `text`, if it was seen.
    pub(crate) fn code(&self, text: &str) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        self.slots[self.slot(text)].checked_sub(1)
    }

    /// The text of a code; empty for a code that was never given.
    pub(crate) fn text(&self, code: u32) -> &str {
        let code = code as usize;
        let start = code.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.ends.get(code).and_then(|end| self.text.get(start..*end)).unwrap_or("")
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes that the texts hold.
    pub(crate) fn size(&self) -> usize {
        self.text.capacity() + 8 * self.ends.capacity() + 4 * self.slots.capacity()
    }

    /// Gives back the memory that only further growth would need.
    pub(crate) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    /// The slot that holds `text` or where it belongs. There is always an empty slot.
    fn slot(&self, text: &str) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = hash_bytes(text.as_bytes()) as usize & mask;
        while let Some(code) = self.slots[slot].checked_sub(1) {
            if self.text(code) == text {
                break;
            }
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(16);
        self.slots.clear();
        self.slots.resize(size, 0);
        for code in 0..self.ends.len() as u32 {
            let mut slot = hash_bytes(self.text(code).as_bytes()) as usize & (size - 1);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (size - 1);
            }
            self.slots[slot] = code + 1;
        }
    }
}
