//! The `voxhouse` binary in a process of its own.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;
use tokio_postgres::Client;

use crate::clients;

pub(crate) const PASSWORD: &str = "battery staple";

/// The binary under test: that of the environment, or the one beside this test's own build.
pub(crate) fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("VOXHOUSE_BIN") {
        return PathBuf::from(path);
    }
    let here = std::env::current_exe().unwrap();
    let path = here.parent().and_then(Path::parent).unwrap().join("voxhouse");
    assert!(path.exists(), "{} is missing: run ./test, or cargo build --workspace", path.display());
    path
}

/// A warehouse root in a folder that goes with the test.
pub(crate) struct Root {
    folder: TempDir,
}

impl Root {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("voxhouse-test-").tempdir().unwrap();
        std::fs::write(folder.path().join("password"), PASSWORD).unwrap();
        Self { folder }
    }

    /// The root of the warehouse.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A place beside the root, for files of the test.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file that appears under the root in one step.
    pub(crate) fn drop_file(&self, path: &str, content: &[u8]) {
        let target = self.path().join(path);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        let unfinished = self.beside("unfinished");
        std::fs::write(&unfinished, content).unwrap();
        std::fs::rename(unfinished, target).unwrap();
    }

    /// A command of the binary on this root.
    pub(crate) fn command(&self, subcommand: &str) -> Command {
        let mut command = Command::new(binary());
        command.arg(subcommand).arg("--root").arg(self.path()).current_dir(self.folder.path());
        command.env_remove("RUST_LOG");
        command
    }

    pub(crate) fn run(&self, subcommand: &str, arguments: &[&str]) -> Output {
        self.command(subcommand).args(arguments).output().unwrap()
    }

    /// What a command that succeeds prints.
    pub(crate) fn says(&self, subcommand: &str, arguments: &[&str]) -> String {
        let output = self.run(subcommand, arguments);
        assert!(output.status.success(), "voxhouse {subcommand} {arguments:?}: {}", both(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts a server and waits until it listens.
    pub(crate) fn serve(&self) -> ServerProcess {
        let log = self.folder.path().join("server.log");
        let mut child = self
            .command("serve")
            .args(["--listen", "127.0.0.1:0", "--password-file"])
            .arg(self.folder.path().join("password"))
            .stdout(Stdio::piped())
            .stderr(File::options().create(true).append(true).open(&log).unwrap())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let port = loop {
            let mut line = String::new();
            if output.read_line(&mut line).unwrap() == 0 {
                let _ = child.wait();
                panic!("the server ended before it listened: {}", std::fs::read_to_string(&log).unwrap());
            }
            if let Some((_, rest)) = line.split_once(" -p ") {
                break rest.split_whitespace().next().unwrap().parse().unwrap();
            }
        };
        // Nobody else reads it, and a full pipe would stop the server.
        std::thread::spawn(move || output.read_to_end(&mut Vec::new()));
        ServerProcess { child, port, log }
    }
}

/// Standard output and standard error.
pub(crate) fn both(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A running server; it is killed when it is dropped.
pub(crate) struct ServerProcess {
    child: Child,
    pub(crate) port: u16,
    log: PathBuf,
}

impl ServerProcess {
    pub(crate) async fn client(&self) -> Client {
        match clients::connect(self.port, PASSWORD).await {
            Ok(client) => client,
            Err(error) => panic!("{error:?}\n{}", std::fs::read_to_string(&self.log).unwrap_or_default()),
        }
    }

    /// SIGKILL: nothing is flushed, nothing is finished.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// SIGTERM, and waits for the end.
    pub(crate) fn terminate(mut self) -> std::process::ExitStatus {
        self.signal("TERM");
        self.child.wait().unwrap()
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
