//! The password of the role that owns the warehouse: given by a file, or made at the first start and kept.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rand::Rng;
use voxhouse_engine::{Error, Result};

use super::config::Config;
use crate::instance::{Instance, OWNER};

/// Where a password is to be found, for the line that people paste.
pub(super) struct Password {
    pub(super) file: PathBuf,
    /// Only when it has just been made: it is shown once.
    pub(super) fresh: Option<String>,
}

/// Sees to it that somebody can log in.
pub(super) async fn ensure(instance: &Instance, config: &Config) -> Result<Password> {
    if let Some(file) = &config.password_file {
        let text = std::fs::read_to_string(file).map_err(|error| {
            Error::from(error).in_context(format!("password file \"{}\"", file.display()))
        })?;
        let password = text.trim_end_matches(['\r', '\n']);
        if password.is_empty() {
            return Err(Error::invalid_argument(format!("password file \"{}\" is empty", file.display())));
        }
        instance.set_password(OWNER, password).await?;
        return Ok(Password { file: file.clone(), fresh: None });
    }
    let file = default_file(instance)?;
    if !instance.needs_password().await? {
        return Ok(Password { file, fresh: None });
    }
    let password = generate();
    keep(&file, &password)?;
    instance.set_password(OWNER, &password).await?;
    Ok(Password { file, fresh: Some(password) })
}

/// Beside a local root; in the user's configuration folder for a remote one.
fn default_file(instance: &Instance) -> Result<PathBuf> {
    let storage = instance.warehouse.storage();
    if let Some(folder) = storage.local_folder() {
        let mut name = folder.file_name().unwrap_or_default().to_owned();
        name.push(".password");
        return Ok(folder.with_file_name(name));
    }
    let home = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")))
        .ok_or_else(|| {
            Error::invalid_argument("there is no folder for the password")
                .with_hint("Set HOME, or give --password-file.")
        })?;
    let url = storage.url().as_str();
    let name: String =
        url.trim_end_matches('/').chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    Ok(home.join("voxhouse").join(format!("{name}.password")))
}

fn generate() -> String {
    // Letters that are not mistaken for each other.
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789";
    let mut rng = rand::rng();
    (0..24).map(|_| LETTERS[rng.random_range(0..LETTERS.len())] as char).collect()
}

/// Only the owner may read it.
fn keep(file: &Path, password: &str) -> Result<()> {
    let context = |error: std::io::Error| {
        Error::from(error).in_context(format!("password file \"{}\"", file.display()))
    };
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(context)?;
    }
    // Made anew, so that the mode is ours whatever lay there before.
    if file.exists() {
        std::fs::remove_file(file).map_err(context)?;
    }
    let mut opened =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map_err(context)?;
    writeln!(opened, "{password}").map_err(context)
}
