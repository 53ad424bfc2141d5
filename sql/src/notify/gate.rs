//! Who may notify, and how often.
//!
//! Guessing is slow for everybody together, whoever asks: of passwords that have not been seen to fit a few a second are
//! looked at. One that fits is remembered, by a digest, until the role's verifier is another, so that who knows it does
//! not stand behind those who guess.

use std::collections::HashMap;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use ring::digest::{SHA256, digest};

use crate::wire::backend::ScramVerifier;

/// Requests of all senders.
const REQUESTS: Rate = Rate { a_second: 50.0, at_once: 200.0 };
/// Passwords that are looked at.
const GUESSES: Rate = Rate { a_second: 2.0, at_once: 10.0 };
/// Roles that notify.
const MOST_KNOWN: usize = 256;

/// Role and password, as they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) role: String,
    password: String,
}

impl Credentials {
    /// `Basic`, and role and password in base64 with a colon between them.
    pub(super) fn of(header: &str) -> Option<Self> {
        let (scheme, encoded) = header.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let plain = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
        let (role, password) = plain.split_once(':')?;
        Some(Self { role: role.to_owned(), password: password.to_owned() })
    }

    fn digest(&self) -> Vec<u8> {
        let text = format!("{}\0{}", self.role, self.password);
        digest(&SHA256, text.as_bytes()).as_ref().to_vec()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Fits,
    Wrong,
    /// Too many passwords were tried of late.
    NotNow,
}

pub(super) struct Gate {
    requests: Mutex<Bucket>,
    guesses: Mutex<Bucket>,
    /// The verifier that a password fits, by a digest of role and password.
    known: Mutex<HashMap<Vec<u8>, String>>,
}

impl Gate {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            requests: Mutex::new(Bucket::full(REQUESTS, now)),
            guesses: Mutex::new(Bucket::full(GUESSES, now)),
            known: Mutex::default(),
        }
    }

    /// Whether one more request is in order.
    pub(super) fn admits(&self, now: Instant) -> bool {
        self.requests.lock().take(now)
    }

    /// Whether the password is that of the role's verifier; `None`: there is no such role, or it has no password.
    pub(super) fn judge(
        &self,
        credentials: &Credentials,
        verifier: Option<&ScramVerifier>,
        nobody: &ScramVerifier,
        now: Instant,
    ) -> Verdict {
        let digest = credentials.digest();
        let text = verifier.map(ToString::to_string);
        if text.is_some() && self.known.lock().get(&digest) == text.as_ref() {
            return Verdict::Fits;
        }
        if !self.guesses.lock().take(now) {
            return Verdict::NotNow;
        }
        // As much work for a role that does not exist.
        let fits = verifier.unwrap_or(nobody).accepts(&credentials.password);
        match text.filter(|_| fits) {
            Some(text) => {
                let mut known = self.known.lock();
                if known.len() >= MOST_KNOWN {
                    known.clear();
                }
                known.insert(digest, text);
                Verdict::Fits
            }
            None => Verdict::Wrong,
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Rate {
    a_second: f64,
    at_once: f64,
}

/// Fills at its rate, and gives one at a time.
struct Bucket {
    rate: Rate,
    left: f64,
    filled: Instant,
}

impl Bucket {
    fn full(rate: Rate, now: Instant) -> Self {
        Self { rate, left: rate.at_once, filled: now }
    }

    fn take(&mut self, now: Instant) -> bool {
        let since = now.saturating_duration_since(self.filled).as_secs_f64();
        self.left = (self.left + since * self.rate.a_second).min(self.rate.at_once);
        self.filled = now;
        let is_there = self.left >= 1.0;
        if is_there {
            self.left -= 1.0;
        }
        is_there
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use super::*;

    fn verifier(password: &str) -> ScramVerifier {
        ScramVerifier::from_password(password, NonZeroU32::MIN, &mut rand::rng())
    }

    fn credentials(text: &str) -> Credentials {
        Credentials::of(&format!("basic {}", STANDARD.encode(text))).unwrap()
    }

    #[test]
    fn credentials_are_read() {
        let read = credentials("loader:a:b");
        assert_eq!((read.role.as_str(), read.password.as_str()), ("loader", "a:b"));
        for header in ["", "Basic", "Basic %", "Bearer abc", &format!("Basic {}", STANDARD.encode("alone"))] {
            assert_eq!(Credentials::of(header), None, "{header}");
        }
    }

    #[test]
    fn a_password_that_fits_is_not_held_up_by_those_that_do_not() {
        let now = Instant::now();
        let (gate, own, nobody) = (Gate::new(now), verifier("right"), verifier("x"));
        let (right, wrong) = (credentials("loader:right"), credentials("loader:wrong"));
        assert_eq!(gate.judge(&right, Some(&own), &nobody, now), Verdict::Fits);
        let tries = (0..20).map(|_| gate.judge(&wrong, Some(&own), &nobody, now));
        assert_eq!(tries.filter(|verdict| *verdict == Verdict::Wrong).count(), 9);
        assert_eq!(gate.judge(&right, Some(&own), &nobody, now), Verdict::Fits);
        // Another password is another verifier, and a role that is gone has none.
        let later = now + Duration::from_secs(1);
        assert_eq!(gate.judge(&right, Some(&verifier("new")), &nobody, later), Verdict::Wrong);
        assert_eq!(gate.judge(&credentials("loader:x"), None, &nobody, later), Verdict::Wrong);
        assert_eq!(gate.judge(&right, None, &nobody, later), Verdict::NotNow);
    }

    #[test]
    fn requests_come_at_a_rate() {
        let now = Instant::now();
        let gate = Gate::new(now);
        assert_eq!((0..500).filter(|_| gate.admits(now)).count(), 200);
        let later = now + Duration::from_secs(1);
        assert_eq!((0..500).filter(|_| gate.admits(later)).count(), 50);
    }
}
