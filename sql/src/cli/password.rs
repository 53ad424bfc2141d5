//! The password of the role that owns the warehouse: given by a file, or made at the first start and kept.

use std::fs::{File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
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
    // Of processes that start at once on this machine, the first has the file until the password is set. One on
    // another machine has a file of its own; then the catalog decides whose password it is.
    let mut kept = lock(&file)?;
    if !instance.needs_password().await? {
        return Ok(Password { file, fresh: None });
    }
    let password = generate();
    write(&mut kept, &password).map_err(|error| in_file(&file, error))?;
    if instance.set_first_password(OWNER, &password).await? {
        return Ok(Password { file, fresh: Some(password) });
    }
    std::fs::remove_file(&file).map_err(|error| in_file(&file, error))?;
    tracing::warn!("another process has made the password of role {OWNER} and keeps it");
    Ok(Password { file, fresh: None })
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

/// Opens the file, or makes it, for this process alone until it is closed.
fn lock(file: &Path) -> Result<File> {
    let open = || {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut options = OpenOptions::new();
        let opened = options.write(true).create(true).truncate(false).mode(0o600).open(file)?;
        opened.lock()?;
        Ok(opened)
    };
    open().map_err(|error| in_file(file, error))
}

/// Only the owner may read it, whatever lay there before.
fn write(file: &mut File, password: &str) -> std::io::Result<()> {
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.set_len(0)?;
    writeln!(file, "{password}")?;
    file.sync_all()
}

fn in_file(file: &Path, error: std::io::Error) -> Error {
    Error::from(error).in_context(format!("password file \"{}\"", file.display()))
}
