//! What bodies that are not known to be authentic may hold of the server's memory, all together.
//!
//! When there is no room for more, the oldest body of the peer that holds most gives way and is
//! answered ThrottlingException: who keeps bodies open for long loses them first, and callers whose
//! bodies arrive at once are served meanwhile.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use palisade_wire::{ErrorKind, Fault};
use tokio::sync::Notify;

/// Bytes of heads and bodies that wait to be found authentic, of all connections together: 16 MiB.
pub const UNPROVEN_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes of bodies that are received from callers whose head is signed, and with open authentication,
/// of all connections together: 256 MiB.
pub const PROVEN_BYTES_MAX: usize = 256 * 1024 * 1024;

/// From where a connection comes, as far as one who sends much can be told from others: its address,
/// and of IPv6, where one site has 2^64 of them, its network.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Peer(IpAddr);

impl Peer {
    /// Whoever cannot be told from others, as behind a proxy.
    pub const ANYBODY: Peer = Peer(IpAddr::V6(Ipv6Addr::UNSPECIFIED));

    /// The peer at this address.
    pub fn at(address: IpAddr) -> Peer {
        match address.to_canonical() {
            IpAddr::V4(address) => Peer(IpAddr::V4(address)),
            IpAddr::V6(address) => {
                let network = address.to_bits() & !u128::from(u64::MAX);
                Peer(IpAddr::V6(Ipv6Addr::from_bits(network)))
            }
        }
    }
}

/// A number of bytes that many share.
#[derive(Debug)]
pub(crate) struct Budget {
    bytes_max: usize,
    shares: Mutex<Shares>,
}

#[derive(Debug, Default)]
struct Shares {
    held: usize,
    by_peer: BTreeMap<Peer, usize>,
    /// By number, so the oldest is first.
    open: BTreeMap<u64, Open>,
    next: u64,
    /// When a body last gave way.
    gave_way: Option<Instant>,
}

#[derive(Debug)]
struct Open {
    peer: Peer,
    bytes: usize,
    lost: Arc<Notify>,
}

/// What one body holds of a [`Budget`]. Given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Arc<Budget>,
    number: u64,
    lost: Arc<Notify>,
}

impl Budget {
    pub fn new(bytes_max: usize) -> Arc<Budget> {
        Arc::new(Budget { bytes_max, shares: Mutex::default() })
    }

    fn shares(&self) -> MutexGuard<'_, Shares> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a body gave way so lately.
    pub fn gave_way_within(&self, lately: Duration) -> bool {
        self.shares().gave_way.is_some_and(|at| at.elapsed() < lately)
    }

    /// A share of `peer`'s that holds nothing yet.
    pub fn share(self: &Arc<Budget>, peer: Peer) -> Share {
        let lost = Arc::new(Notify::new());
        let mut shares = self.shares();
        let number = shares.next;
        shares.next = number.wrapping_add(1);
        shares.open.insert(number, Open { peer, bytes: 0, lost: lost.clone() });
        Share { budget: self.clone(), number, lost }
    }
}

impl Shares {
    fn release(&mut self, number: u64) {
        let Some(open) = self.open.remove(&number) else { return };
        self.held = self.held.saturating_sub(open.bytes);
        if let Some(bytes) = self.by_peer.get_mut(&open.peer) {
            *bytes = bytes.saturating_sub(open.bytes);
            if *bytes == 0 {
                self.by_peer.remove(&open.peer);
            }
        }
    }

    /// The oldest share of the peer that holds most.
    fn oldest_of_largest(&self) -> Option<u64> {
        let (largest, _) = self.by_peer.iter().max_by_key(|(_, bytes)| **bytes)?;
        let mut theirs =
            self.open.iter().filter(|(_, open)| open.peer == *largest && open.bytes > 0);
        theirs.next().map(|(number, _)| *number)
    }
}

impl Share {
    /// Holds `more` bytes, for which others may have to give way.
    ///
    /// # Errors
    /// ThrottlingException when it is this share that gives way, or gave way before.
    pub fn grow(&self, more: usize) -> Result<(), Fault> {
        let mut shares = self.budget.shares();
        let Some(open) = shares.open.get_mut(&self.number) else { return Err(no_room()) };
        open.bytes = open.bytes.saturating_add(more);
        let peer = open.peer;
        let bytes = shares.by_peer.entry(peer).or_default();
        *bytes = bytes.saturating_add(more);
        shares.held = shares.held.saturating_add(more);
        while shares.held > self.budget.bytes_max {
            let Some(number) = shares.oldest_of_largest() else { break };
            shares.gave_way = Some(Instant::now());
            let lost = shares.open.get(&number).map(|open| open.lost.clone());
            shares.release(number);
            match lost {
                Some(lost) if number != self.number => lost.notify_one(),
                Some(_) | None => return Err(no_room()),
            }
        }
        Ok(())
    }

    /// Completes when another body took this one's place, with what its caller is answered.
    pub async fn lost(&self) -> Fault {
        self.lost.notified().await;
        no_room()
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.shares().release(self.number);
    }
}

/// The refusal of a body for which there is no room: SDKs send it again after a pause.
fn no_room() -> Fault {
    Fault::new(
        ErrorKind::Throttling,
        "too many bodies are being received at once; send this again after a pause",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(number: u8) -> Peer {
        Peer::at(IpAddr::from([10, 0, 0, number]))
    }

    #[test]
    fn as_many_bytes_are_held_as_the_budget_has() {
        for (bytes, fits) in [(99, true), (100, true), (101, false)] {
            let budget = Budget::new(100);
            let share = budget.share(peer(1));
            assert_eq!(share.grow(bytes).is_ok(), fits, "{bytes}");
            assert_eq!(budget.shares().held, if fits { bytes } else { 0 });
            drop(share);
            assert_eq!(budget.shares().held, 0);
            assert!(budget.shares().by_peer.is_empty() && budget.shares().open.is_empty());
        }
    }

    #[test]
    fn the_oldest_of_the_peer_that_holds_most_gives_way() {
        let budget = Budget::new(100);
        let first = budget.share(peer(1));
        first.grow(30).unwrap();
        let large = [budget.share(peer(2)), budget.share(peer(2))];
        large.iter().for_each(|share| share.grow(35).unwrap());
        let third = budget.share(peer(3));
        third.grow(1).unwrap();
        assert!(large[0].grow(1).is_err(), "the older of the two");
        large[1].grow(1).unwrap();
        first.grow(1).unwrap();
        // Who asks for more than there is loses its own.
        assert!(large[1].grow(100).is_err());
        assert_eq!(budget.shares().held, 32);
    }

    #[tokio::test]
    async fn who_gives_way_is_told() {
        let budget = Budget::new(10);
        let (old, new) = (budget.share(peer(1)), budget.share(peer(1)));
        old.grow(6).unwrap();
        assert!(!budget.gave_way_within(Duration::from_secs(600)));
        new.grow(6).unwrap();
        assert!(budget.gave_way_within(Duration::from_secs(600)));
        assert!(!budget.gave_way_within(Duration::ZERO));
        assert_eq!(old.lost().await.kind, ErrorKind::Throttling);
    }

    #[test]
    fn a_peer_is_an_address_or_a_network_of_ipv6() {
        let at = |text: &str| Peer::at(text.parse().unwrap());
        assert_eq!(at("::ffff:10.0.0.1"), at("10.0.0.1"));
        assert_ne!(at("10.0.0.2"), at("10.0.0.1"));
        assert_eq!(at("2001:db8::1"), at("2001:db8::2"));
        assert_ne!(at("2001:db8:0:1::1"), at("2001:db8::1"));
    }
}
