//! How many may come in: start-ups in progress by place, and sessions by role.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use parking_lot::Mutex;
use voxhouse_engine::{Error, ErrorKind};

use super::backend::LoginRole;
use crate::observe::counters::Refusal;

/// What counts as one place: an IPv4 address, or the /64 that one IPv6 subscriber has to himself.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        address => address,
    }
}

/// Sockets that are not logged in yet. One place may have at most half of them, so that it cannot keep the
/// others out; that is still as many as there can be sessions.
pub(super) struct Newcomers {
    limit: usize,
    by_place: Mutex<HashMap<IpAddr, usize>>,
}

/// A start-up in progress.
pub(super) struct Newcomer {
    place: IpAddr,
    newcomers: Arc<Newcomers>,
}

impl Newcomers {
    pub(super) fn new(sessions: usize) -> Arc<Self> {
        const LEAST: usize = 64;
        Arc::new(Self { limit: sessions.max(LEAST).saturating_mul(2), by_place: Mutex::default() })
    }

    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Newcomer> {
        let place = network(address);
        let mut by_place = self.by_place.lock();
        let here = by_place.get(&place).copied().unwrap_or(0);
        if here >= self.limit / 2 || by_place.values().sum::<usize>() >= self.limit {
            return None;
        }
        by_place.insert(place, here + 1);
        drop(by_place);
        Some(Newcomer { place, newcomers: Arc::clone(self) })
    }
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        give_back(&mut self.newcomers.by_place.lock(), &self.place);
    }
}

/// Places for sessions, some of them for superusers only.
pub(super) struct Slots {
    limit: usize,
    superuser_reserved: usize,
    by_role: Mutex<HashMap<String, usize>>,
}

/// A session's place.
pub(super) struct Slot {
    role: String,
    slots: Arc<Slots>,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    All,
    /// Those left are for superusers.
    Reserved,
    Role,
}

impl Full {
    pub(super) fn error(self, role: &str) -> Error {
        let message = match self {
            Full::All => "sorry, too many clients already".to_owned(),
            Full::Reserved => {
                "remaining connection slots are reserved for non-replication superuser connections".to_owned()
            }
            Full::Role => format!("too many connections for role \"{role}\""),
        };
        Error::new(ErrorKind::TooManyConnections, message)
    }
}

impl From<Full> for Refusal {
    fn from(full: Full) -> Self {
        match full {
            Full::All => Refusal::Full,
            Full::Reserved => Refusal::Reserved,
            Full::Role => Refusal::RoleLimit,
        }
    }
}

impl Slots {
    pub(super) fn new(limit: usize, superuser_reserved: usize) -> Arc<Self> {
        Arc::new(Self { limit, superuser_reserved, by_role: Mutex::default() })
    }

    pub(super) fn take(self: &Arc<Self>, name: &str, role: &LoginRole) -> Result<Slot, Full> {
        let mut by_role = self.by_role.lock();
        let free = self.limit.saturating_sub(by_role.values().sum());
        if free == 0 {
            return Err(Full::All);
        }
        let mine = by_role.get(name).copied().unwrap_or(0);
        if !role.superuser {
            if free <= self.superuser_reserved {
                return Err(Full::Reserved);
            }
            if role.connection_limit.is_some_and(|limit| mine >= limit) {
                return Err(Full::Role);
            }
        }
        by_role.insert(name.to_owned(), mine + 1);
        drop(by_role);
        Ok(Slot { role: name.to_owned(), slots: Arc::clone(self) })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        give_back(&mut self.slots.by_role.lock(), self.role.as_str());
    }
}

fn give_back<K, Q>(taken: &mut HashMap<K, usize>, key: &Q)
where
    K: std::borrow::Borrow<Q> + Eq + std::hash::Hash,
    Q: Eq + std::hash::Hash + ?Sized,
{
    if let Some(count) = taken.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            taken.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(superuser: bool, connection_limit: Option<usize>) -> LoginRole {
        LoginRole { verifier: None, superuser, connection_limit }
    }

    fn refused(slots: &Arc<Slots>, name: &str, role: &LoginRole) -> String {
        let error = slots.take(name, role).err().unwrap().error(name);
        assert_eq!(error.sqlstate(), "53300");
        error.message().to_owned()
    }

    #[test]
    fn sessions_are_bounded_by_role_and_some_are_reserved() {
        let slots = Slots::new(4, 1);
        let (plain, limited, root) = (role(false, None), role(false, Some(1)), role(true, Some(0)));
        let first = slots.take("ana", &limited).unwrap();
        assert_eq!(refused(&slots, "ana", &limited), "too many connections for role \"ana\"");
        let _others = [slots.take("bob", &plain).unwrap(), slots.take("bob", &plain).unwrap()];
        assert!(refused(&slots, "bob", &plain).starts_with("remaining connection slots are reserved"));
        let _root = slots.take("root", &root).unwrap();
        assert_eq!(refused(&slots, "root", &root), "sorry, too many clients already");
        drop(first);
        assert!(refused(&slots, "ana", &limited).starts_with("remaining connection slots are reserved"));
        let _second_root = slots.take("root", &root).unwrap();
    }

    #[test]
    fn one_place_cannot_keep_the_others_out() {
        let newcomers = Newcomers::new(10);
        let here = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, last]);
        let taken: Vec<_> = (0..200).map_while(|number| newcomers.enter(here(number))).collect();
        assert_eq!(taken.len(), 64);
        let elsewhere: Vec<_> = (0..200).map_while(|_| newcomers.enter([10, 0, 0, 1].into())).collect();
        assert_eq!(elsewhere.len(), 64);
        assert!(newcomers.enter([10, 0, 0, 2].into()).is_none());
        drop(taken);
        assert!(newcomers.enter(here(1)).is_some());
        drop(elsewhere);
        assert!(newcomers.by_place.lock().is_empty());
    }
}
