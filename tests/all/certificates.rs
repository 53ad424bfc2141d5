//! `--tls-client-ca`: clients that show a certificate instead of a password. The certificates are made here.

use std::path::PathBuf;
use std::process::Command;

use crate::process::{PASSWORD, Root, both};

/// Certificates and keys in the folder of a test.
struct Authority<'a> {
    root: &'a Root,
    name: &'static str,
}

impl<'a> Authority<'a> {
    fn new(root: &'a Root, name: &'static str) -> Self {
        let authority = Self { root, name };
        openssl(&format!(
            "req -x509 {NEW_KEY} -days 2 -subj /CN={name} -keyout {} -out {}",
            authority.file(name, "key"),
            authority.file(name, "pem"),
        ));
        authority
    }

    fn file(&self, name: &str, extension: &str) -> String {
        self.root.beside(&format!("{name}.{extension}")).to_str().unwrap().to_owned()
    }

    /// Signs a certificate for a common name.
    fn sign(&self, file: &str, common_name: &str) -> Certificate {
        let (key, request, pem) = (self.file(file, "key"), self.file(file, "csr"), self.file(file, "pem"));
        let extensions = self.file(file, "ext");
        std::fs::write(&extensions, "basicConstraints=CA:FALSE\nsubjectAltName=DNS:localhost\n").unwrap();
        openssl(&format!("req {NEW_KEY} -subj /CN={common_name} -keyout {key} -out {request}"));
        openssl(&format!(
            "x509 -req -in {request} -out {pem} -days 2 -CA {} -CAkey {} -CAcreateserial -extfile {extensions}",
            self.file(self.name, "pem"),
            self.file(self.name, "key"),
        ));
        Certificate { pem, key }
    }
}

const NEW_KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";

struct Certificate {
    pem: String,
    key: String,
}

fn openssl(arguments: &str) {
    let output = Command::new("openssl").args(arguments.split(' ')).output();
    let output = output.unwrap_or_else(|error| {
        panic!("openssl could not be started ({error}): install the package openssl")
    });
    assert!(output.status.success(), "openssl {arguments}: {}", both(&output));
}

/// Who one is to the server; else what it says.
fn enter(
    port: u16,
    role: &str,
    certificate: Option<&Certificate>,
    password: Option<&str>,
) -> Result<String, String> {
    let mut command = Command::new("psql");
    command.args(["-X", "-w", "-A", "-t", "-h", "127.0.0.1", "-p", &port.to_string(), "-U", role]);
    command.args(["-d", "voxhouse", "-c", "SELECT session_user"]);
    // Nothing of the person who runs the tests.
    let nowhere = PathBuf::from("/nonexistent");
    command.env("HOME", &nowhere).env("PGPASSFILE", &nowhere).env("PGSSLMODE", "require");
    command.env_remove("PGPASSWORD").env_remove("PGSSLROOTCERT").env_remove("PGOPTIONS");
    let none = Certificate { pem: "/nonexistent".to_owned(), key: "/nonexistent".to_owned() };
    let Certificate { pem, key } = certificate.unwrap_or(&none);
    command.env("PGSSLCERT", pem).env("PGSSLKEY", key);
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    let output = command.output().expect("psql could not be started: install the package postgresql-client");
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout).unwrap().trim().to_owned()),
        false => Err(both(&output)),
    }
}

#[test]
fn a_certificate_of_the_authority_stands_for_its_role_alone() {
    let root = Root::new();
    let authority = Authority::new(&root, "authority");
    let server_certificate = authority.sign("server", "localhost");
    let analyst = authority.sign("analyst", "analyst");
    let nobody = authority.sign("nobody", "nobody");
    // The right name from another authority.
    let forged = Authority::new(&root, "stranger").sign("forged", "analyst");
    let ca = authority.file("authority", "pem");
    let tls =
        ["--tls-cert", &server_certificate.pem, "--tls-key", &server_certificate.key, "--tls-client-ca", &ca];
    {
        let server = root.serve_with(&tls);
        let made = Command::new("psql")
            .args([
                "-X",
                "-h",
                "127.0.0.1",
                "-p",
                &server.port.to_string(),
                "-U",
                "voxhouse",
                "-d",
                "voxhouse",
            ])
            .args(["-c", "CREATE ROLE analyst LOGIN", "-c", "CREATE ROLE other LOGIN PASSWORD 'their own'"])
            .env("PGPASSWORD", PASSWORD)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", both(&made));
        let enter = |role, certificate, password| enter(server.port, role, certificate, password);
        assert_eq!(enter("analyst", Some(&analyst), None).as_deref(), Ok("analyst"));
        for (role, certificate) in [
            ("analyst", None),
            ("other", Some(&analyst)),
            ("voxhouse", Some(&analyst)),
            ("nobody", Some(&nobody)),
            ("analyst", Some(&nobody)),
        ] {
            let refused = enter(role, certificate, None).unwrap_err();
            assert!(refused.contains("no password supplied"), "{role}: {refused}");
        }
        // A role without a password has no other way in.
        let refused = enter("analyst", None, Some("guess")).unwrap_err();
        assert!(refused.contains("password authentication failed for user \"analyst\""), "{refused}");
        // The certificate of another role does not stand in the way of a password.
        assert_eq!(enter("other", Some(&analyst), Some("their own")).as_deref(), Ok("other"));
        assert_eq!(enter("voxhouse", None, Some(PASSWORD)).as_deref(), Ok("voxhouse"));
        // Not even with a password: the handshake fails.
        let refused = enter("voxhouse", Some(&forged), Some(PASSWORD)).unwrap_err();
        assert!(refused.contains("SSL error") || refused.contains("certificate"), "{refused}");
    }
    let server = root.serve_with(&[&tls[..], &["--require-client-cert"]].concat());
    assert_eq!(enter(server.port, "analyst", Some(&analyst), None).as_deref(), Ok("analyst"));
    let refused = enter(server.port, "voxhouse", None, Some(PASSWORD)).unwrap_err();
    assert!(refused.contains("SSL error") || refused.contains("certificate"), "{refused}");
}
