//! What a server remembers of sessions: tries, one-time links and who signed out. All of it is in memory,
//! bounded, and ends with the process.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::throttle::Throttle;

/// Links that wait at the same time; one more takes the place of the one that ends first.
pub const LINKS_MAX: usize = 1_000;
/// Sessions that were signed out and are remembered as long as their cookies would open.
pub const SIGNED_OUT_MAX: usize = 10_000;

/// The memory.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    /// How often who tried to sign in.
    pub tries: Throttle,
    /// Links that were not followed yet, by the hash of their token.
    links: Mutex<BTreeMap<String, Waiting>>,
    /// Ids of sessions that were signed out, and when their cookies cease to open.
    ended: Mutex<BTreeMap<String, i64>>,
    /// What the forms of all pages carry where nobody signs in.
    open_token: Mutex<Option<String>>,
}

/// A link that waits.
#[derive(Debug)]
struct Waiting {
    access_key_id: String,
    until_ms: i64,
}

impl Remembered {
    /// Keeps a link of a key until a moment.
    pub fn keep_link(&self, hash: String, access_key_id: &str, until_ms: i64, now_ms: i64) {
        let mut links = locked(&self.links);
        links.retain(|_, link| now_ms < link.until_ms);
        make_room(&mut links, LINKS_MAX, |link| link.until_ms);
        links.insert(hash, Waiting { access_key_id: access_key_id.to_owned(), until_ms });
    }

    /// Takes a link: the key that it is of, and when it ends, where it waits and is not too old.
    pub fn take_link(&self, hash: &str, now_ms: i64) -> Option<(String, i64)> {
        let link = locked(&self.links).remove(hash)?;
        (now_ms < link.until_ms).then_some((link.access_key_id, link.until_ms))
    }

    /// Notes that a session was signed out whose cookie opens until a moment.
    pub fn end(&self, id: &str, until_ms: i64, now_ms: i64) {
        let mut ended = locked(&self.ended);
        if ended.len() >= SIGNED_OUT_MAX {
            ended.retain(|_, until_ms| now_ms < *until_ms);
        }
        make_room(&mut ended, SIGNED_OUT_MAX, |until_ms| *until_ms);
        ended.insert(id.to_owned(), until_ms);
    }

    /// Forgets the links of a key.
    pub fn drop_links(&self, access_key_id: &str) {
        locked(&self.links).retain(|_, link| link.access_key_id != access_key_id);
    }

    /// The token that the forms of all pages carry where nobody signs in, drawn the first time.
    ///
    /// # Errors
    /// What `draw` answers.
    pub fn open_token<E>(&self, draw: impl FnOnce() -> Result<String, E>) -> Result<String, E> {
        let mut token = locked(&self.open_token);
        match &*token {
            Some(token) => Ok(token.clone()),
            None => Ok(token.insert(draw()?).clone()),
        }
    }

    /// Whether a session was signed out.
    pub fn has_ended(&self, id: &str) -> bool {
        locked(&self.ended).contains_key(id)
    }
}

/// Drops what ends first where there is no room for one more.
fn make_room<T>(all: &mut BTreeMap<String, T>, count_max: usize, until_ms: impl Fn(&T) -> i64) {
    if all.len() < count_max {
        return;
    }
    let first = all.iter().min_by_key(|(_, one)| until_ms(one)).map(|(key, _)| key.clone());
    if let Some(first) = first {
        all.remove(&first);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_signed_out_sessions_are_remembered() {
        for count in [SIGNED_OUT_MAX - 1, SIGNED_OUT_MAX, SIGNED_OUT_MAX + 1] {
            let memory = Remembered::default();
            for n in 0..count {
                memory.end(&n.to_string(), n as i64 + 1, 0);
            }
            let all = count.min(SIGNED_OUT_MAX);
            assert_eq!(locked(&memory.ended).len(), all, "{count}");
            assert_eq!(memory.has_ended("0"), count <= SIGNED_OUT_MAX, "the first to end goes");
            assert!(memory.has_ended(&(count - 1).to_string()));
        }
    }

    #[test]
    fn a_link_is_taken_once_before_its_end() {
        let memory = Remembered::default();
        memory.keep_link("a".to_owned(), "AKIA", 10, 0);
        memory.keep_link("b".to_owned(), "AKIA", 10, 0);
        assert_eq!(memory.take_link("a", 9), Some(("AKIA".to_owned(), 10)));
        assert_eq!(memory.take_link("a", 9), None);
        assert_eq!(memory.take_link("b", 10), None);
    }
}
