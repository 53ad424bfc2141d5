//! The `voxhouse` binary in a process of its own.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;
use tokio_postgres::Client;

use crate::clients;
use crate::s3_server::{self, S3Server};

pub(crate) const PASSWORD: &str = "battery staple";

/// The binary under test: that of the environment, or the one beside this test's own build.
pub(crate) fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("VOXHOUSE_BIN") {
        return PathBuf::from(path);
    }
    let path = beside_this_test("voxhouse");
    assert!(path.exists(), "{} is missing: run ./test, or cargo build --workspace", path.display());
    path
}

/// A program that was built with this test.
pub(crate) fn beside_this_test(name: &str) -> PathBuf {
    let here = std::env::current_exe().unwrap();
    here.parent().and_then(Path::parent).unwrap().join(name)
}

/// A warehouse root that goes with the test.
pub(crate) struct Root {
    /// The root itself, unless it is on S3, and what the test has beside it.
    folder: TempDir,
    s3: Option<S3Server>,
}

/// Where the root lies in its bucket: a name that URLs have to encode.
const PREFIX: &str = "teams/客服 1";

impl Root {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("voxhouse-test-").tempdir().unwrap();
        std::fs::write(folder.path().join("password"), PASSWORD).unwrap();
        Self { folder, s3: None }
    }

    /// A root on an S3 server of the test's own.
    pub(crate) fn on_s3() -> Self {
        Self { s3: Some(S3Server::start()), ..Self::new() }
    }

    pub(crate) fn s3(&self) -> &S3Server {
        self.s3.as_ref().unwrap()
    }

    /// The root of the warehouse, as `--root` takes it.
    pub(crate) fn url(&self) -> String {
        match &self.s3 {
            Some(_) => format!("s3://{}/{PREFIX}", s3_server::BUCKET),
            None => self.folder.path().join("data").to_str().unwrap().to_owned(),
        }
    }

    /// A place in a root on files.
    pub(crate) fn inside(&self, path: &str) -> PathBuf {
        PathBuf::from(self.url()).join(path)
    }

    /// A place beside the root, for files of the test.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file that appears under the root in one step.
    pub(crate) fn drop_file(&self, path: &str, content: &[u8]) {
        if let Some(s3) = &self.s3 {
            return s3.put(s3_server::BUCKET, &format!("{PREFIX}/{path}"), content);
        }
        let target = PathBuf::from(self.url()).join(path);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        let unfinished = self.beside("unfinished");
        std::fs::write(&unfinished, content).unwrap();
        std::fs::rename(unfinished, target).unwrap();
    }

    /// A command of the binary on this root.
    pub(crate) fn command(&self, subcommand: &str) -> Command {
        self.command_on(&self.url(), subcommand)
    }

    /// A command of the binary on another root.
    pub(crate) fn command_on(&self, url: &str, subcommand: &str) -> Command {
        let mut command = Command::new(binary());
        command.arg(subcommand).args(["--root", url]).current_dir(self.folder.path());
        command.env_remove("RUST_LOG");
        // Nothing of the person who runs the tests: neither settings nor credentials.
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("AWS_") || name.starts_with("VOXHOUSE_")) {
                command.env_remove(name);
            }
        }
        command.env("HOME", self.beside("home")).env("XDG_CONFIG_HOME", self.beside("config"));
        if let Some(s3) = &self.s3 {
            command.envs(s3.environment());
        }
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
        self.serve_with(&[])
    }

    /// As [`serve`](Self::serve), with more arguments.
    pub(crate) fn serve_with(&self, arguments: &[&str]) -> ServerProcess {
        self.start(arguments, &[])
    }

    /// As [`serve`](Self::serve), with more in the environment.
    pub(crate) fn serve_in(&self, environment: &[(&str, &str)]) -> ServerProcess {
        self.start(&[], environment)
    }

    fn start(&self, arguments: &[&str], environment: &[(&str, &str)]) -> ServerProcess {
        let log = self.folder.path().join("server.log");
        let mut child = self
            .command("serve")
            .args(["--listen", "127.0.0.1:0", "--password-file"])
            .arg(self.folder.path().join("password"))
            .args(arguments)
            .envs(environment.iter().copied())
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

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
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
