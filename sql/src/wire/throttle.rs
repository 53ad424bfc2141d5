//! Failed log-ins slow down those that follow, from the same place or for the same role.
//!
//! Each failure is a debt that time forgives. Until it is forgiven, log-ins wait before they are told whether they
//! succeeded, whatever they will be told: who hangs up early has learnt nothing. The waits are short, because
//! whoever shares an address with a guesser, or has the role that is guessed at, waits too; what makes guessing
//! hopeless is that a place may have few start-ups in progress ([`super::slots::Newcomers`]) and each lasts that long.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::slots::network;
use parking_lot::Mutex;

/// So many failures cost nothing: people mistype.
const FREE: f64 = 3.0;
const FIRST_DELAY: Duration = Duration::from_millis(100);
/// The delay has reached its limit long before.
const MAX_FAILURES: f64 = 12.0;
const FORGIVEN_PER_SECOND: f64 = 1.0;

/// Of each table. Beyond it the lightest debts are forgotten.
const MAX_DEBTS: usize = 8_192;

/// What a log-in may be made to wait, for the sins of its address and for those of its role.
const ADDRESS_LIMIT: Duration = Duration::from_secs(3);
const ROLE_LIMIT: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(super) struct Throttle {
    addresses: Debts<IpAddr>,
    /// By the hash of the name: a stranger chooses the names, and how long they are.
    roles: Debts<u64>,
    hasher: RandomState,
}

impl Throttle {
    /// How long a log-in waits before its answer.
    pub(super) fn delay(&self, address: IpAddr, role: &str, now: Instant) -> Duration {
        let of_address = delay(self.addresses.failures(network(address), now), ADDRESS_LIMIT);
        of_address.max(delay(self.roles.failures(self.hasher.hash_one(role), now), ROLE_LIMIT))
    }

    pub(super) fn failed(&self, address: IpAddr, role: &str, now: Instant) {
        self.addresses.add(network(address), now);
        self.roles.add(self.hasher.hash_one(role), now);
    }
}

/// Nothing, then doubling with each failure.
fn delay(failures: f64, limit: Duration) -> Duration {
    if failures < FREE {
        return Duration::ZERO;
    }
    FIRST_DELAY.mul_f64((failures - FREE).exp2()).min(limit)
}

struct Debts<K>(Mutex<HashMap<K, Debt>>);

#[derive(Clone, Copy)]
struct Debt {
    failures: f64,
    at: Instant,
}

impl Debt {
    fn left(self, now: Instant) -> f64 {
        let forgiven = now.saturating_duration_since(self.at).as_secs_f64() * FORGIVEN_PER_SECOND;
        (self.failures - forgiven).max(0.0)
    }
}

impl<K> Default for Debts<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash + Copy> Debts<K> {
    fn failures(&self, key: K, now: Instant) -> f64 {
        self.0.lock().get(&key).map_or(0.0, |debt| debt.left(now))
    }

    fn add(&self, key: K, now: Instant) {
        let mut debts = self.0.lock();
        let before = debts.get(&key).map_or(0.0, |debt| debt.left(now));
        if before == 0.0 && debts.len() >= MAX_DEBTS {
            make_room(&mut debts, now);
        }
        debts.insert(key, Debt { failures: (before + 1.0).min(MAX_FAILURES), at: now });
    }
}

/// Forgets what is forgiven, and if that is too little, the lighter half.
fn make_room<K: Eq + Hash + Copy>(debts: &mut HashMap<K, Debt>, now: Instant) {
    debts.retain(|_, debt| debt.left(now) > 0.0);
    if debts.len() < MAX_DEBTS {
        return;
    }
    let mut weights: Vec<f64> = debts.values().map(|debt| debt.left(now)).collect();
    weights.sort_by(f64::total_cmp);
    let median = weights[weights.len() / 2];
    debts.retain(|_, debt| debt.left(now) > median);
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn address(number: u32) -> IpAddr {
        Ipv4Addr::from_bits(number).into()
    }

    #[test]
    fn failures_slow_an_address_and_a_role_and_are_forgiven() {
        let throttle = Throttle::default();
        let now = Instant::now();
        for _ in 0..3 {
            assert_eq!(throttle.delay(address(1), "ana", now), Duration::ZERO);
            throttle.failed(address(1), "ana", now);
        }
        assert_eq!(throttle.delay(address(1), "ana", now), FIRST_DELAY);
        throttle.failed(address(1), "ana", now);
        assert_eq!(throttle.delay(address(1), "ana", now), 2 * FIRST_DELAY);
        // The address whatever the role, and the role wherever from.
        assert_eq!(throttle.delay(address(1), "eve", now), 2 * FIRST_DELAY);
        assert_eq!(throttle.delay(address(2), "ana", now), 2 * FIRST_DELAY);
        assert_eq!(throttle.delay(address(2), "eve", now), Duration::ZERO);
        for _ in 0..100 {
            throttle.failed(address(1), "ana", now);
        }
        assert_eq!(throttle.delay(address(1), "eve", now), ADDRESS_LIMIT);
        assert_eq!(throttle.delay(address(2), "ana", now), ROLE_LIMIT);
        assert_eq!(throttle.delay(address(1), "ana", now + Duration::from_secs(10)), Duration::ZERO);
    }

    #[test]
    fn the_tables_are_bounded_and_keep_the_worst() {
        let throttle = Throttle::default();
        let now = Instant::now();
        for _ in 0..10 {
            throttle.failed(address(0), "victim", now);
        }
        for number in 1..40_000 {
            throttle.failed(address(number), &format!("role {number}"), now);
        }
        assert!(throttle.addresses.0.lock().len() <= MAX_DEBTS);
        assert!(throttle.roles.0.lock().len() <= MAX_DEBTS);
        assert_eq!(throttle.delay(address(0), "somebody", now), ADDRESS_LIMIT);
    }
}
