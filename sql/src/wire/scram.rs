//! SCRAM-SHA-256 (RFC 5802, RFC 7677), the server's half, over stored verifiers.
//!
//! A verifier is written as PostgreSQL writes it, `SCRAM-SHA-256$4096:salt$stored:server`, so that one made by
//! either can be used by the other. Passwords go through SASLprep; one that SASLprep refuses is used as it is,
//! as PostgreSQL does. Channel binding is not offered.

use std::fmt;
use std::hint::black_box;
use std::num::NonZeroU32;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pgwire::api::auth::sasl::scram::gen_salted_password;
use rand::{CryptoRng, Rng};
use ring::{digest, hmac};
use voxhouse_engine::{Error, ErrorKind, Result};

pub use super::backend::ScramVerifier;

pub const MECHANISM: &str = "SCRAM-SHA-256";
pub const DEFAULT_ITERATIONS: NonZeroU32 = match NonZeroU32::new(4096) {
    Some(count) => count,
    None => NonZeroU32::MIN,
};

const SALT_BYTES: usize = 16;
const NONCE_BYTES: usize = 18;

impl ScramVerifier {
    pub fn from_password(password: &str, iterations: NonZeroU32, rng: &mut (impl Rng + CryptoRng)) -> Self {
        let salt = rng.random::<[u8; SALT_BYTES]>();
        let salted = gen_salted_password(password, &salt, iterations.get() as usize);
        let client_key = hmac_sha256(&salted, b"Client Key");
        Self {
            iterations: iterations.get(),
            salt: salt.to_vec(),
            stored_key: sha256(client_key.as_ref()),
            server_key: hmac_sha256(&salted, b"Server Key").as_ref().to_vec(),
        }
    }

    /// Whether this is the verifier of a password.
    pub fn accepts(&self, password: &str) -> bool {
        let salted = gen_salted_password(password, &self.salt, self.iterations as usize);
        let client_key = hmac_sha256(&salted, b"Client Key");
        // Asked by the process itself, about a password it was given: nobody measures the time.
        sha256(client_key.as_ref()) == self.stored_key
    }

    /// The verifier of nobody: the same for every attempt with one role name, so that asking twice does not
    /// tell an unknown role from a known one, and no password fits it.
    pub(super) fn of_nobody(server_secret: &[u8], role: &str) -> Self {
        let derive = |label: &str| hmac_sha256(server_secret, format!("{label}\0{role}").as_bytes());
        Self {
            iterations: DEFAULT_ITERATIONS.get(),
            salt: derive("salt").as_ref()[..SALT_BYTES].to_vec(),
            stored_key: derive("stored key").as_ref().to_vec(),
            server_key: derive("server key").as_ref().to_vec(),
        }
    }
}

impl fmt::Display for ScramVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{MECHANISM}${}:{}${}:{}",
            self.iterations,
            STANDARD.encode(&self.salt),
            STANDARD.encode(&self.stored_key),
            STANDARD.encode(&self.server_key)
        )
    }
}

impl FromStr for ScramVerifier {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        parse_verifier(text)
            .ok_or_else(|| Error::new(ErrorKind::InvalidText, "invalid SCRAM-SHA-256 verifier"))
    }
}

fn parse_verifier(text: &str) -> Option<ScramVerifier> {
    let (iterations, rest) = text.strip_prefix(MECHANISM)?.strip_prefix('$')?.split_once(':')?;
    let (salt, keys) = rest.split_once('$')?;
    let (stored, server) = keys.split_once(':')?;
    let verifier = ScramVerifier {
        iterations: iterations.parse::<NonZeroU32>().ok()?.get(),
        salt: STANDARD.decode(salt).ok()?,
        stored_key: STANDARD.decode(stored).ok()?,
        server_key: STANDARD.decode(server).ok()?,
    };
    let whole = |key: &[u8]| key.len() == digest::SHA256_OUTPUT_LEN;
    (whole(&verifier.stored_key) && whole(&verifier.server_key) && !verifier.salt.is_empty())
        .then_some(verifier)
}

/// One exchange, between the server's first message and the client's last.
pub(super) struct Exchange {
    verifier: ScramVerifier,
    /// The client's header in base64, which it must repeat.
    binding: String,
    nonce: String,
    /// `client-first-message-bare,server-first-message`
    messages: String,
}

impl Exchange {
    /// Takes the client's first message and gives the server's first. `None`: not SCRAM.
    pub(super) fn start(client_first: &str, verifier: ScramVerifier) -> Option<(Self, String)> {
        let nonce = STANDARD.encode(rand::random::<[u8; NONCE_BYTES]>());
        Self::start_with_nonce(client_first, verifier, &nonce)
    }

    fn start_with_nonce(client_first: &str, verifier: ScramVerifier, nonce: &str) -> Option<(Self, String)> {
        // `n,,n=user,r=nonce`; `y` says that the client could bind a channel but believes we cannot: so it is.
        // The user name inside is ignored, as in PostgreSQL: the one of the start-up message counts.
        let (flag, rest) = client_first.split_once(',')?;
        let (identity, bare) = rest.split_once(',')?;
        if !matches!(flag, "n" | "y") || !(identity.is_empty() || identity.starts_with("a=")) {
            return None;
        }
        let mut attributes = bare.split(',');
        attributes.next()?.strip_prefix("n=")?;
        let client_nonce = attributes.next()?.strip_prefix("r=").filter(|nonce| is_printable(nonce))?;
        let nonce = format!("{client_nonce}{nonce}");
        let server_first =
            format!("r={nonce},s={},i={}", STANDARD.encode(&verifier.salt), verifier.iterations);
        let exchange = Self {
            verifier,
            binding: STANDARD.encode(format!("{flag},{identity},")),
            nonce,
            messages: format!("{bare},{server_first}"),
        };
        Some((exchange, server_first))
    }

    /// Takes the client's last message and gives the server's. `None`: the proof is wrong.
    pub(super) fn finish(self, client_final: &str) -> Option<String> {
        let (without_proof, proof) = client_final.rsplit_once(",p=")?;
        let mut attributes = without_proof.split(',');
        let binding = attributes.next()?.strip_prefix("c=")?;
        let nonce = attributes.next()?.strip_prefix("r=")?;
        if binding != self.binding || nonce != self.nonce {
            return None;
        }
        let proof = STANDARD.decode(proof).ok().filter(|proof| proof.len() == digest::SHA256_OUTPUT_LEN)?;
        let message = format!("{},{without_proof}", self.messages);
        let signature = hmac_sha256(&self.verifier.stored_key, message.as_bytes());
        let client_key: Vec<u8> = proof.iter().zip(signature.as_ref()).map(|(a, b)| a ^ b).collect();
        if !same(&sha256(&client_key), &self.verifier.stored_key) {
            return None;
        }
        Some(format!("v={}", STANDARD.encode(hmac_sha256(&self.verifier.server_key, message.as_bytes()))))
    }
}

fn is_printable(nonce: &str) -> bool {
    !nonce.is_empty() && nonce.bytes().all(|byte| (0x21..=0x7e).contains(&byte) && byte != b',')
}

/// Equality in time that depends on the lengths only.
pub(super) fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).fold(0, |difference, (a, b)| black_box(difference | (a ^ b))) == 0
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message)
}

fn sha256(message: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, message).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677, section 3.
    const CLIENT_FIRST: &str = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
    const SERVER_NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";

    fn rfc_verifier() -> ScramVerifier {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let salted = gen_salted_password("pencil", &salt, 4096);
        ScramVerifier {
            iterations: 4096,
            salt,
            stored_key: sha256(hmac_sha256(&salted, b"Client Key").as_ref()),
            server_key: hmac_sha256(&salted, b"Server Key").as_ref().to_vec(),
        }
    }

    #[test]
    fn the_example_of_rfc_7677() {
        let (exchange, server_first) =
            Exchange::start_with_nonce(CLIENT_FIRST, rfc_verifier(), SERVER_NONCE).unwrap();
        assert_eq!(
            server_first,
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
        );
        let server_final = exchange.finish(
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        );
        assert_eq!(server_final.as_deref(), Some("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
    }

    #[test]
    fn a_wrong_proof_nonce_or_binding_fails() {
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        for last in [
            format!("c=biws,r={nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVA="),
            format!("c=biws,r={nonce}x,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="),
            format!("c=eSws,r={nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="),
            format!("c=biws,r={nonce},p="),
            String::new(),
        ] {
            let (exchange, _) =
                Exchange::start_with_nonce(CLIENT_FIRST, rfc_verifier(), SERVER_NONCE).unwrap();
            assert_eq!(exchange.finish(&last), None, "{last}");
        }
    }

    #[test]
    fn what_is_not_scram_is_refused() {
        for first in
            ["", "n", "n,,", "p=tls-server-end-point,,n=u,r=x", "n,,n=u", "n,,n=u,r=", "n,,m=x,n=u,r=a"]
        {
            assert!(Exchange::start(first, rfc_verifier()).is_none(), "{first}");
        }
    }

    #[test]
    fn the_text_form_is_that_of_postgres() {
        let verifier = ScramVerifier::from_password("pencil", DEFAULT_ITERATIONS, &mut rand::rng());
        let text = verifier.to_string();
        assert!(text.starts_with("SCRAM-SHA-256$4096:"));
        assert_eq!(text.parse::<ScramVerifier>().unwrap(), verifier);
        for broken in ["", "md5abc", "SCRAM-SHA-256$0:YQ==$YQ==:YQ==", "SCRAM-SHA-256$4096:YQ==$YQ==:YQ=="] {
            assert!(broken.parse::<ScramVerifier>().is_err(), "{broken}");
        }
    }
}
