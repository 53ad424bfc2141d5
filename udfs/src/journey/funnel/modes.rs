//! The modes of a funnel.

use crate::journey::Invalid;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    StrictDeduplication,
    StrictOrder,
    StrictIncrease,
    Restart,
}

const NAMES: [(&str, Mode); 4] = [
    ("strict_deduplication", Mode::StrictDeduplication),
    ("strict_order", Mode::StrictOrder),
    ("strict_increase", Mode::StrictIncrease),
    ("restart", Mode::Restart),
];

/// A set of modes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Modes(u8);

impl Modes {
    /// Reads names separated by commas; the empty text is no mode.
    pub(crate) fn parse(names: &str) -> Result<Self, Invalid> {
        let mut modes = Self::default();
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let Some((_, mode)) = NAMES.iter().find(|(known, _)| *known == name) else {
                let known = NAMES.map(|(known, _)| known).join(", ");
                return Err(Invalid::new(format!("funnel mode \"{name}\" does not exist"))
                    .with_hint(format!("The modes are {known}.")));
            };
            modes = modes.with(*mode);
        }
        Ok(modes)
    }

    pub(crate) fn with(self, mode: Mode) -> Self {
        Self(self.0 | 1 << mode as u8)
    }

    pub(crate) fn has(self, mode: Mode) -> bool {
        self.0 & (1 << mode as u8) != 0
    }

    /// Whether events are read one by one for violations.
    pub(super) fn by_row(self) -> bool {
        self.has(Mode::StrictOrder) || self.has(Mode::StrictDeduplication)
    }

    pub(super) fn check(self) -> Result<(), Invalid> {
        if self.has(Mode::Restart) && !self.by_row() {
            return Err(Invalid::new("funnel mode \"restart\" needs a mode that can be violated")
                .with_hint("Add strict_order or strict_deduplication."));
        }
        Ok(())
    }
}
