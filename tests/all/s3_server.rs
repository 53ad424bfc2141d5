//! The S3 server of the tests (`tests/s3-server`), in a process of its own that ends with the test.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::{Path, PathPart};
use object_store::{ObjectStoreExt, PutPayload};

use crate::process;

/// Where warehouses lie.
pub(crate) const BUCKET: &str = "warehouse";
/// Where somebody else puts files.
pub(crate) const EXPORTS: &str = "exports";

const ACCESS_KEY: &str = "AKIATESTS";
const SECRET_KEY: &str = "secret/with+odd=letters";

pub(crate) struct S3Server {
    child: Child,
    port: u16,
    control: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
}

fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("VOXHOUSE_TEST_S3") {
        return PathBuf::from(path);
    }
    let path = process::beside_this_test("voxhouse-test-s3");
    assert!(path.exists(), "{} is missing: run ./test, which builds it", path.display());
    path
}

impl S3Server {
    pub(crate) fn start() -> Self {
        let mut command = Command::new(binary());
        command.args([ACCESS_KEY, SECRET_KEY, BUCKET, EXPORTS]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let commands = child.stdin.take().unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        let port = line.trim().parse().unwrap();
        Self { child, port, control: Mutex::new((commands, answers)) }
    }

    /// Gives a command of `tests/s3-server/src/control.rs`.
    pub(crate) fn tell(&self, command: &str) -> String {
        let mut control = self.control.lock().unwrap();
        writeln!(control.0, "{command}").unwrap();
        let mut line = String::new();
        control.1.read_line(&mut line).unwrap();
        line.trim_end().strip_prefix("ok").unwrap_or_else(|| panic!("{command}: {line}")).trim().to_owned()
    }

    pub(crate) fn count(&self, what: &str) -> usize {
        self.tell(what).parse().unwrap()
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What a process needs to know to reach it, by the names of the environment.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT", self.endpoint()),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY.to_owned()),
            ("AWS_REGION", "cn-north-1".to_owned()),
        ]
    }

    fn client(&self, bucket: &str) -> AmazonS3 {
        let builder = AmazonS3Builder::new().with_bucket_name(bucket).with_region("cn-north-1");
        let builder = builder.with_endpoint(self.endpoint()).with_allow_http(true);
        builder.with_access_key_id(ACCESS_KEY).with_secret_access_key(SECRET_KEY).build().unwrap()
    }

    /// Puts an object, from any thread. The key is taken as it is written.
    pub(crate) fn put(&self, bucket: &str, key: &str, content: &[u8]) {
        let (client, payload) = (self.client(bucket), PutPayload::from(content.to_vec()));
        let path: Path = key.split('/').map(|part| PathPart::parse(part).unwrap()).collect();
        // A runtime of its own on a thread of its own: callers may be in one already.
        let put = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(client.put(&path, payload)).unwrap();
        });
        put.join().unwrap();
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
