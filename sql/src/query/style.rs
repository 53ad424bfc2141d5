//! How the session writes and reads values, where functions find it: among the options of a plan.

use std::any::Any;

use chrono_tz::Tz;
use datafusion::common::config::{ConfigEntry, ConfigExtension, ConfigOptions, ExtensionOptions};
use datafusion::error::{DataFusionError, Result};

use crate::wire::style::TextStyle;

#[derive(Debug, Clone)]
pub struct SessionStyle(pub TextStyle);

/// What the session says; without a session, the defaults.
pub fn style_of(options: &ConfigOptions) -> TextStyle {
    if let Some(SessionStyle(style)) = options.extensions.get() {
        return *style;
    }
    let zone = options.execution.time_zone.as_deref().and_then(|zone| zone.parse().ok());
    zone.unwrap_or(Tz::UTC).into()
}

impl ConfigExtension for SessionStyle {
    const PREFIX: &'static str = "session_style";
}

impl ExtensionOptions for SessionStyle {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, _: &str) -> Result<()> {
        Err(DataFusionError::Configuration(format!("{key} is set by the parameters of the session")))
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        Vec::new()
    }
}
