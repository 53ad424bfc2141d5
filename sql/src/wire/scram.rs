//! SCRAM-SHA-256 (RFC 5802, RFC 7677), the server's half, over stored verifiers.
//!
//! A verifier is written as PostgreSQL writes it, `SCRAM-SHA-256$4096:salt$stored:server`, so that one made by
//! either can be used by the other. Passwords go through SASLprep; one that SASLprep refuses is used as it is,
//! as PostgreSQL does. Over TLS the exchange can be bound to the server's certificate (`-PLUS`, RFC 5929), so that
//! nobody in the middle with a certificate of his own can pass it on.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pgwire::api::auth::sasl::scram::gen_salted_password;
use rand::{CryptoRng, Rng};
use ring::{digest, hmac};
use voxhouse_engine::{Error, ErrorKind};

pub use super::backend::ScramVerifier;
use super::stop::Stop;
use crate::processes::same;

pub const MECHANISM: &str = "SCRAM-SHA-256";
pub(super) const MECHANISM_PLUS: &str = "SCRAM-SHA-256-PLUS";
const END_POINT: &str = "tls-server-end-point";
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

    /// A secret for whoever knows the verifier.
    pub fn derived_secret(&self) -> [u8; digest::SHA256_OUTPUT_LEN] {
        let mut secret = [0; digest::SHA256_OUTPUT_LEN];
        secret.copy_from_slice(hmac_sha256(&self.server_key, b"verifiers of unknown roles").as_ref());
        secret
    }

    /// Whether this is the verifier of a password.
    pub fn accepts(&self, password: &str) -> bool {
        let salted = gen_salted_password(password, &self.salt, self.iterations as usize);
        let client_key = hmac_sha256(&salted, b"Client Key");
        same(&sha256(client_key.as_ref()), &self.stored_key)
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

    fn from_str(text: &str) -> Result<Self, Error> {
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

/// What the client may and does bind the exchange to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Channel<'a> {
    /// There is nothing to bind to, and `-PLUS` is not offered.
    Unbound,
    /// `-PLUS` is offered, and the client has chosen the mechanism without it.
    Declined,
    /// `-PLUS` over this end point.
    Bound(&'a [u8]),
}

/// Why an exchange ends without success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    Malformed,
    /// The client thinks that we offer no channel binding, and we do: somebody in between has hidden it.
    Downgrade,
    UnknownBinding,
    WrongBinding,
    WrongProof,
}

impl Refused {
    /// What a client is told; of a wrong proof, the same as for a role that does not exist.
    pub(super) fn stop(self, role: &str) -> Stop {
        let (kind, message) = match self {
            Refused::Malformed => (ErrorKind::ProtocolViolation, "malformed SCRAM message".to_owned()),
            Refused::UnknownBinding => {
                (ErrorKind::ProtocolViolation, "unsupported SCRAM channel-binding type".to_owned())
            }
            Refused::Downgrade => {
                (ErrorKind::InvalidAuthorization, "SCRAM channel binding negotiation error".to_owned())
            }
            Refused::WrongBinding => {
                (ErrorKind::InvalidAuthorization, "SCRAM channel binding check failed".to_owned())
            }
            Refused::WrongProof => {
                (ErrorKind::InvalidPassword, format!("password authentication failed for user \"{role}\""))
            }
        };
        let error = Error::new(kind, message);
        Stop::Fatal(match self {
            Refused::Downgrade => error.with_detail(
                "The client supports SCRAM channel binding but thinks the server does not.  \
                 However, this server does support channel binding.",
            ),
            _ => error,
        })
    }
}

/// One exchange, between the server's first message and the client's last.
pub(super) struct Exchange {
    verifier: ScramVerifier,
    /// The client's header and the end point in base64, which it must send in its last message.
    binding: String,
    is_bound: bool,
    nonce: String,
    /// `client-first-message-bare,server-first-message`
    messages: String,
}

impl Exchange {
    /// Takes the client's first message and gives the server's first.
    pub(super) fn start(
        client_first: &str,
        channel: Channel<'_>,
        verifier: ScramVerifier,
    ) -> Result<(Self, String), Refused> {
        let nonce = STANDARD.encode(rand::random::<[u8; NONCE_BYTES]>());
        Self::start_with_nonce(client_first, channel, verifier, &nonce)
    }

    fn start_with_nonce(
        client_first: &str,
        channel: Channel<'_>,
        verifier: ScramVerifier,
        nonce: &str,
    ) -> Result<(Self, String), Refused> {
        // `n,,n=user,r=nonce`. The user name inside is ignored, as in PostgreSQL: the one of the start-up message
        // counts.
        let (flag, rest) = client_first.split_once(',').ok_or(Refused::Malformed)?;
        let (identity, bare) = rest.split_once(',').ok_or(Refused::Malformed)?;
        if !(identity.is_empty() || identity.starts_with("a=")) {
            return Err(Refused::Malformed);
        }
        let end_point = check_flag(flag, channel)?;
        let client_nonce = client_nonce(bare).ok_or(Refused::Malformed)?;
        let nonce = format!("{client_nonce}{nonce}");
        let server_first =
            format!("r={nonce},s={},i={}", STANDARD.encode(&verifier.salt), verifier.iterations);
        let header = format!("{flag},{identity},");
        let exchange = Self {
            verifier,
            binding: STANDARD.encode([header.as_bytes(), end_point.unwrap_or_default()].concat()),
            is_bound: end_point.is_some(),
            nonce,
            messages: format!("{bare},{server_first}"),
        };
        Ok((exchange, server_first))
    }

    /// Takes the client's last message and gives the server's.
    pub(super) fn finish(self, client_final: &str) -> Result<String, Refused> {
        let (without_proof, proof) = client_final.rsplit_once(",p=").ok_or(Refused::Malformed)?;
        let mut attributes = without_proof.split(',');
        let mut attribute =
            |prefix| attributes.next().and_then(|text| text.strip_prefix(prefix)).ok_or(Refused::Malformed);
        let (binding, nonce) = (attribute("c=")?, attribute("r=")?);
        if binding != self.binding {
            return Err(if self.is_bound { Refused::WrongBinding } else { Refused::Malformed });
        }
        if nonce != self.nonce {
            return Err(Refused::Malformed);
        }
        let proof = STANDARD.decode(proof).ok().filter(|proof| proof.len() == digest::SHA256_OUTPUT_LEN);
        let proof = proof.ok_or(Refused::Malformed)?;
        let message = format!("{},{without_proof}", self.messages);
        let signature = hmac_sha256(&self.verifier.stored_key, message.as_bytes());
        let client_key: Vec<u8> = proof.iter().zip(signature.as_ref()).map(|(a, b)| a ^ b).collect();
        if !same(&sha256(&client_key), &self.verifier.stored_key) {
            return Err(Refused::WrongProof);
        }
        Ok(format!("v={}", STANDARD.encode(hmac_sha256(&self.verifier.server_key, message.as_bytes()))))
    }
}

/// Whether the client's flag fits the mechanism; the end point that it binds to, if any.
fn check_flag<'a>(flag: &str, channel: Channel<'a>) -> Result<Option<&'a [u8]>, Refused> {
    match (flag, channel) {
        ("n", Channel::Unbound | Channel::Declined) | ("y", Channel::Unbound) => Ok(None),
        ("y", Channel::Declined) => Err(Refused::Downgrade),
        (flag, Channel::Bound(end_point)) => match flag.strip_prefix("p=") {
            Some(END_POINT) => Ok(Some(end_point)),
            Some(_) => Err(Refused::UnknownBinding),
            None => Err(Refused::Malformed),
        },
        _ => Err(Refused::Malformed),
    }
}

fn client_nonce(bare: &str) -> Option<&str> {
    let mut attributes = bare.split(',');
    attributes.next()?.strip_prefix("n=")?;
    attributes.next()?.strip_prefix("r=").filter(|nonce| is_printable(nonce))
}

fn is_printable(nonce: &str) -> bool {
    !nonce.is_empty() && nonce.bytes().all(|byte| (0x21..=0x7e).contains(&byte) && byte != b',')
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

    fn start(first: &str, channel: Channel<'_>) -> Result<(Exchange, String), Refused> {
        Exchange::start_with_nonce(first, channel, rfc_verifier(), SERVER_NONCE)
    }

    #[test]
    fn the_example_of_rfc_7677() {
        let (exchange, server_first) = start(CLIENT_FIRST, Channel::Unbound).unwrap();
        assert_eq!(
            server_first,
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
        );
        let server_final = exchange.finish(
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        );
        assert_eq!(server_final.as_deref(), Ok("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
    }

    #[test]
    fn a_wrong_proof_nonce_or_binding_fails() {
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        for (last, expected) in [
            (format!("c=biws,r={nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVA="), Refused::WrongProof),
            (format!("c=biws,r={nonce}x,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="), Refused::Malformed),
            (format!("c=eSws,r={nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="), Refused::Malformed),
            (format!("c=biws,r={nonce},p="), Refused::Malformed),
            (String::new(), Refused::Malformed),
        ] {
            let (exchange, _) = start(CLIENT_FIRST, Channel::Unbound).unwrap();
            assert_eq!(exchange.finish(&last), Err(expected), "{last}");
        }
    }

    #[test]
    fn what_is_not_scram_is_refused() {
        for first in
            ["", "n", "n,,", "p=tls-server-end-point,,n=u,r=x", "n,,n=u", "n,,n=u,r=", "n,,m=x,n=u,r=a"]
        {
            assert_eq!(start(first, Channel::Unbound).err(), Some(Refused::Malformed), "{first}");
        }
    }

    #[test]
    fn the_flag_must_fit_the_mechanism() {
        let bound = Channel::Bound(b"end point");
        for (flag, channel, expected) in [
            ("n", Channel::Unbound, Ok(())),
            ("y", Channel::Unbound, Ok(())),
            ("n", Channel::Declined, Ok(())),
            ("y", Channel::Declined, Err(Refused::Downgrade)),
            ("p=tls-server-end-point", Channel::Declined, Err(Refused::Malformed)),
            ("p=tls-server-end-point", bound, Ok(())),
            ("p=tls-unique", bound, Err(Refused::UnknownBinding)),
            ("n", bound, Err(Refused::Malformed)),
            ("y", bound, Err(Refused::Malformed)),
            ("x", Channel::Unbound, Err(Refused::Malformed)),
        ] {
            let started = start(&format!("{flag},,n=,r=abc"), channel).map(|_| ());
            assert_eq!(started, expected, "{flag}");
        }
    }

    #[test]
    fn another_end_point_is_not_accepted() {
        let first = "p=tls-server-end-point,,n=,r=abc";
        let (exchange, _) = start(first, Channel::Bound(b"ours")).unwrap();
        let theirs = STANDARD.encode(b"p=tls-server-end-point,,theirs");
        let last = format!("c={theirs},r=abc{SERVER_NONCE},p={}", STANDARD.encode([0; 32]));
        assert_eq!(exchange.finish(&last), Err(Refused::WrongBinding));
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
