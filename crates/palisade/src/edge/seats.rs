//! Seats for connections: a bounded number, of which no peer has all, and where who has not said what
//! it wants makes room for who comes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use palisade_api::{Known, Peer};
use tokio::sync::Notify;

/// Seats beside the others for connections that come when all others are being answered. There,
/// probes are answered and other requests told to come again.
pub const RESERVE_MAX: usize = 8;
/// One in so many of the seats is for others than the peer that has the rest.
const OTHERS_PART: usize = 16;

/// All seats.
#[derive(Debug)]
pub struct Seats {
    seats_max: usize,
    room: Mutex<Room>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Room {
    next: u64,
    /// By number; those that were told to leave are not in here any more.
    taken: BTreeMap<u64, Taken>,
    /// Counts everything that happens, so that what is older can be told.
    moment: u64,
}

#[derive(Debug)]
struct Taken {
    peer: Peer,
    is_reserve: bool,
    /// The moment at which it came, or its last request came or was answered.
    since: u64,
    calls: BTreeMap<u64, Call>,
    leave: Arc<Notify>,
}

/// A request whose head is there, and which is not answered yet.
#[derive(Debug)]
struct Call {
    is_whole: bool,
    known: Known,
}

/// What a connection does, what gives way first first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Doing {
    /// It idles, shakes hands, or has not sent a whole head.
    Nothing,
    /// It sends bodies, and nobody knows for whom.
    Sending,
    /// It is answered, or is known to be somebody's.
    Answered,
}

impl Taken {
    fn doing(&self) -> Doing {
        let call = |call: &Call| match call.is_whole || call.known.is_set() {
            true => Doing::Answered,
            false => Doing::Sending,
        };
        self.calls.values().map(call).max().unwrap_or(Doing::Nothing)
    }
}

/// One connection's seat. Given back when this is dropped.
#[derive(Debug)]
pub struct Seat {
    seats: Arc<Seats>,
    number: u64,
    leave: Arc<Notify>,
}

/// A request on a connection, until it is answered.
#[derive(Debug)]
pub struct Sitting {
    seats: Arc<Seats>,
    seat: u64,
    number: u64,
    /// Set by who finds out whose request it is.
    pub known: Known,
}

impl Seats {
    /// So many seats, and the reserve.
    pub fn new(seats_max: usize) -> Arc<Seats> {
        Arc::new(Seats { seats_max, room: Mutex::default(), freed: Notify::new() })
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seats that one peer may have: some are for others. Who cannot be told from others may have all.
    fn of_one_max(&self, peer: Peer) -> usize {
        let others = if peer == Peer::ANYBODY { 0 } else { self.seats_max / OTHERS_PART };
        self.seats_max.saturating_sub(others)
    }

    /// A seat for a connection of `peer`'s, for which another may have to leave. None while all seats,
    /// the reserve too, are of connections that are being answered.
    pub fn take(self: &Arc<Seats>, peer: Peer) -> Option<Seat> {
        let mut room = self.room();
        let theirs = room.count(&|taken| !taken.is_reserve && taken.peer == peer);
        let others = room.count(&|taken| !taken.is_reserve);
        let is_room = if theirs >= self.of_one_max(peer) {
            room.evict(&|taken| !taken.is_reserve && taken.peer == peer)
        } else if others >= self.seats_max {
            let most = room.peer_with_most();
            room.evict(&|taken| !taken.is_reserve && Some(taken.peer) == most)
                || room.evict(&|taken| !taken.is_reserve)
        } else {
            true
        };
        if is_room {
            return Some(self.seat(&mut room, peer, false));
        }
        let reserve = room.count(&|taken| taken.is_reserve);
        let is_room = reserve < RESERVE_MAX || room.evict(&|taken| taken.is_reserve);
        is_room.then(|| self.seat(&mut room, peer, true))
    }

    fn seat(self: &Arc<Seats>, room: &mut Room, peer: Peer, is_reserve: bool) -> Seat {
        let (number, since) = (room.number(), room.moment);
        let leave = Arc::new(Notify::new());
        let calls = BTreeMap::new();
        let taken = Taken { peer, is_reserve, since, calls, leave: leave.clone() };
        room.taken.insert(number, taken);
        Seat { seats: self.clone(), number, leave }
    }

    /// Completes when a connection ended, at once if one did since the last time.
    pub async fn freed(&self) {
        self.freed.notified().await;
    }

    /// Has the oldest connection leave that is not being answered, as when the system has no room for
    /// another.
    pub fn make_room(&self) -> bool {
        self.room().evict(&|_| true)
    }
}

impl Room {
    fn number(&mut self) -> u64 {
        self.next = self.next.wrapping_add(1);
        self.moment = self.moment.wrapping_add(1);
        self.next
    }

    fn count(&self, of: &dyn Fn(&Taken) -> bool) -> usize {
        self.taken.values().filter(|taken| of(taken)).count()
    }

    fn peer_with_most(&self) -> Option<Peer> {
        let mut counts: BTreeMap<Peer, usize> = BTreeMap::new();
        for taken in self.taken.values().filter(|taken| !taken.is_reserve) {
            let count = counts.entry(taken.peer).or_default();
            *count = count.saturating_add(1);
        }
        counts.into_iter().max_by_key(|(_, count)| *count).map(|(peer, _)| peer)
    }

    /// Tells the one of these to leave that does nothing for longest, or else that sends for longest.
    /// Whether there was one.
    fn evict(&mut self, of: &dyn Fn(&Taken) -> bool) -> bool {
        let unfinished = self.taken.iter().filter(|(_, taken)| of(taken));
        let ranked = unfinished.map(|(number, taken)| (taken.doing(), taken.since, *number));
        let Some((doing, _, number)) = ranked.min() else { return false };
        if doing == Doing::Answered {
            return false;
        }
        if let Some(taken) = self.taken.remove(&number) {
            taken.leave.notify_one();
        }
        true
    }
}

impl Seat {
    /// Completes when the connection is to end, to make room.
    pub async fn told_to_leave(&self) {
        self.leave.notified().await;
    }

    /// Whether it is one of those beside the others. It becomes one of the others when there is room:
    /// a connection that probes come on, and others later, must not be refused for as long as it lasts.
    pub fn is_reserve(&self) -> bool {
        let mut room = self.seats.room();
        let Some(peer) =
            room.taken.get(&self.number).filter(|seat| seat.is_reserve).map(|it| it.peer)
        else {
            return false;
        };
        let theirs = room.count(&|taken| !taken.is_reserve && taken.peer == peer);
        let others = room.count(&|taken| !taken.is_reserve);
        let is_reserve = theirs >= self.seats.of_one_max(peer) || others >= self.seats.seats_max;
        if let Some(taken) = room.taken.get_mut(&self.number) {
            taken.is_reserve = is_reserve;
        }
        is_reserve
    }

    /// A request of this connection, whose head is there.
    pub fn begin(&self) -> Sitting {
        let mut room = self.seats.room();
        let (number, since) = (room.number(), room.moment);
        let known = Known::default();
        if let Some(taken) = room.taken.get_mut(&self.number) {
            taken.since = since;
            taken.calls.insert(number, Call { is_whole: false, known: known.clone() });
        }
        Sitting { seats: self.seats.clone(), seat: self.number, number, known }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.room().taken.remove(&self.number);
        self.seats.freed.notify_one();
    }
}

impl Sitting {
    /// Notes that the request is there as a whole.
    pub fn is_whole(&self) {
        let mut room = self.seats.room();
        let call =
            room.taken.get_mut(&self.seat).and_then(|taken| taken.calls.get_mut(&self.number));
        if let Some(call) = call {
            call.is_whole = true;
        }
    }
}

impl Drop for Sitting {
    fn drop(&mut self) {
        let mut room = self.seats.room();
        room.moment = room.moment.wrapping_add(1);
        let since = room.moment;
        if let Some(taken) = room.taken.get_mut(&self.seat) {
            taken.calls.remove(&self.number);
            taken.since = since;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(number: u8) -> Peer {
        Peer::at([10, 0, 0, number].into())
    }

    /// Whether a connection was told to leave.
    async fn left(seat: &Seat) -> bool {
        tokio::time::timeout(std::time::Duration::ZERO, seat.told_to_leave()).await.is_ok()
    }

    #[tokio::test]
    async fn the_oldest_of_the_peer_that_has_most_gives_way_to_who_comes() {
        for (count, gives_way) in [(2, 0), (3, 0), (4, 1), (5, 2)] {
            let seats = Seats::new(4);
            let first = seats.take(peer(1)).unwrap();
            let many: Vec<Seat> = (0..count).map(|_| seats.take(peer(2)).unwrap()).collect();
            assert!(!left(&first).await, "{count}");
            for (at, seat) in many.iter().enumerate() {
                assert_eq!(left(seat).await, at < gives_way, "{at} of {count}");
            }
        }
    }

    #[tokio::test]
    async fn a_peer_does_not_have_the_seats_of_others() {
        let seats = Seats::new(32);
        let (mut held, mut sitting) = (Vec::new(), Vec::new());
        for _ in 0..30 {
            let seat = seats.take(peer(1)).unwrap();
            let call = seat.begin();
            call.is_whole();
            held.push(seat);
            sitting.push(call);
        }
        let beside = seats.take(peer(1)).unwrap();
        assert!(beside.is_reserve(), "two of 32 are for others");
        for _ in 0..2 {
            let other = seats.take(peer(2)).unwrap();
            assert!(!other.is_reserve());
            other.begin().is_whole();
            held.push(other);
        }
        // One that is done gives way again.
        sitting.remove(7);
        assert!(!seats.take(peer(1)).unwrap().is_reserve());
        assert!(left(&held[7]).await);
    }

    #[tokio::test]
    async fn who_is_answered_or_known_stays_and_who_sends_goes_last() {
        let seats = Seats::new(3);
        let taken: Vec<Seat> = (0..3).map(|_| seats.take(Peer::ANYBODY).unwrap()).collect();
        let calls: Vec<Sitting> = taken.iter().map(Seat::begin).collect();
        calls[0].is_whole();
        calls[1].known.set();
        assert!(!seats.take(Peer::ANYBODY).unwrap().is_reserve());
        assert!(left(&taken[2]).await, "the one that is unknown and still sends");
        assert!(!left(&taken[0]).await && !left(&taken[1]).await);
    }

    #[tokio::test]
    async fn the_reserve_is_bounded_and_its_oldest_gives_way_too() {
        let seats = Seats::new(1);
        let first = seats.take(peer(1)).unwrap();
        let call = first.begin();
        call.is_whole();
        let reserve: Vec<Seat> = (0..RESERVE_MAX).map(|_| seats.take(peer(1)).unwrap()).collect();
        assert!(reserve.iter().all(|seat| seat.is_reserve()));
        let one_more = seats.take(peer(1)).unwrap();
        assert!(one_more.is_reserve() && left(&reserve[0]).await);
        let calls: Vec<Sitting> =
            reserve.iter().skip(1).chain([&one_more]).map(Seat::begin).collect();
        calls.iter().for_each(Sitting::is_whole);
        assert!(seats.take(peer(2)).is_none(), "all are being answered");
        drop(call);
        drop(first);
        seats.freed().await;
        assert!(!seats.take(peer(2)).unwrap().is_reserve());
    }

    #[tokio::test]
    async fn a_seat_of_the_reserve_becomes_one_of_the_others_when_there_is_room() {
        let seats = Seats::new(1);
        let first = seats.take(peer(1)).unwrap();
        let call = first.begin();
        call.is_whole();
        let [beside, last] = [seats.take(peer(1)).unwrap(), seats.take(peer(1)).unwrap()];
        assert!(beside.is_reserve() && last.is_reserve());
        drop(call);
        assert!(beside.is_reserve(), "the first has not left");
        drop(first);
        assert!(!beside.is_reserve() && last.is_reserve(), "there was room for one");
        assert!(!left(&beside).await);
    }
}
