//! What somebody who looks after access keys is to know of each.

use palisade_store::KeyRecord;

/// What is to be known of a key by whoever looks after keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyUse {
    /// It is used.
    Working,
    /// It ends within [`KEY_EXPIRES_SOON_MS`].
    Expiring,
    /// Nobody called with it for [`KEY_UNUSED_MS`], as long as it is there.
    Unused,
    /// It was disabled.
    Disabled,
    /// Its time is over.
    Expired,
}

/// From how long before its end on a key is told of: 14 days.
pub const KEY_EXPIRES_SOON_MS: i64 = 14 * 24 * 60 * 60 * 1_000;
/// After how long a key that nobody called with is told of: 90 days.
pub const KEY_UNUSED_MS: i64 = 90 * 24 * 60 * 60 * 1_000;

impl KeyUse {
    /// Every state.
    pub const ALL: [KeyUse; 5] =
        [KeyUse::Working, KeyUse::Expiring, KeyUse::Unused, KeyUse::Disabled, KeyUse::Expired];

    /// Its name in labels and reports.
    pub const fn name(self) -> &'static str {
        match self {
            KeyUse::Working => "working",
            KeyUse::Expiring => "expiring",
            KeyUse::Unused => "unused",
            KeyUse::Disabled => "disabled",
            KeyUse::Expired => "expired",
        }
    }

    /// The state of a key: of several the one that matters most.
    pub fn of(key: &KeyRecord, now_ms: i64) -> KeyUse {
        let ends_within = |ms: i64| key.has_expired(now_ms.saturating_add(ms));
        let last_ms = key.last_used_ms.unwrap_or(key.created_ms);
        if key.has_expired(now_ms) {
            KeyUse::Expired
        } else if !key.enabled {
            KeyUse::Disabled
        } else if ends_within(KEY_EXPIRES_SOON_MS) {
            KeyUse::Expiring
        } else if now_ms.saturating_sub(last_ms) >= KEY_UNUSED_MS {
            KeyUse::Unused
        } else {
            KeyUse::Working
        }
    }
}

/// How many keys are in which state.
pub fn counted(keys: &[KeyRecord], now_ms: i64) -> [(KeyUse, u64); KeyUse::ALL.len()] {
    KeyUse::ALL.map(|state| {
        let count = keys.iter().filter(|key| KeyUse::of(key, now_ms) == state).count();
        (state, count as u64)
    })
}
