//! How fast calls may be made: a token bucket for each (account, Region, call), filled at a share of AWS's own rate.
//!
//! AWS counts the calls of everybody in an account together, so by default only half of each rate is taken. A call that
//! is throttled halves it again; time without a throttled call gives it back, a twentieth at a time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::call::Call;
use crate::rate::{Bucket, Share};

/// The part of AWS's rates that is taken unless a setting says otherwise, in thousandths.
pub const RATE_SHARE_MILLI: u32 = 500;

/// The least part of that share that throttling leaves, in thousandths.
pub const SLOWEST_MILLI: u32 = 15;

/// How long nothing must be throttled for a twentieth of the share to come back.
pub const RECOVERY_STEP: Duration = Duration::from_secs(10);

/// What one step of recovery gives back, in thousandths of the share.
const RECOVERY_MILLI: u32 = 50;

/// Answers of one burst that are throttled together halve the rate once within this time.
pub const HALVING_PAUSE: Duration = Duration::from_secs(1);

/// Buckets that are held; over it, those that are full and were never throttled are forgotten, which changes nothing.
pub const BUCKETS_HELD_MAX: usize = 100_000;

/// For whom a bucket is.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Key {
    account: Arc<str>,
    region: Arc<str>,
    /// The service and the call, or the service and nothing.
    call: (&'static str, &'static str),
}

/// Billionths of a token in a token: a rate in tokens a thousand seconds is that many of them in a microsecond.
const NANO: i64 = 1_000_000_000;

#[derive(Clone, Copy, Debug)]
struct State {
    bucket: &'static Bucket,
    /// Billionths of a token; below zero while callers wait for theirs.
    nano_tokens: i64,
    /// When they were counted.
    at: Duration,
    /// The part of the share that is taken, in thousandths.
    pace_milli: u32,
    /// When it was last changed.
    paced_at: Duration,
}

/// The buckets of all accounts. Moments are those of one clock that only goes forward.
#[derive(Debug)]
pub struct Limiter {
    share_milli: u32,
    held: Mutex<BTreeMap<Key, State>>,
}

/// The bucket of one call in one account and Region.
#[derive(Clone, Debug)]
pub struct Turn {
    key: Key,
    bucket: &'static Bucket,
}

impl Turn {
    /// The bucket of a call.
    pub fn new(account: &str, region: &str, call: &'static Call) -> Self {
        let action = match call.bucket.share {
            Share::Action => call.action,
            Share::Service => "",
        };
        let call_name = (call.service.name(), action);
        let key = Key { account: account.into(), region: region.into(), call: call_name };
        Self { key, bucket: call.bucket }
    }
}

impl Limiter {
    /// A limiter that takes this part of AWS's rates, in thousandths; at least one, at most all.
    pub fn new(share_milli: u32) -> Self {
        Self { share_milli: share_milli.clamp(1, 1000), held: Mutex::default() }
    }

    /// Takes a token and answers how long to wait before the call. Later callers wait longer, in their order.
    pub fn take(&self, turn: &Turn, now: Duration) -> Duration {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= BUCKETS_HELD_MAX && !held.contains_key(&turn.key) {
            held.retain(|_, state| {
                self.advance(state, now);
                state.pace_milli < 1000 || state.nano_tokens < self.burst(state.bucket)
            });
        }
        let state = held.entry(turn.key.clone()).or_insert_with(|| self.fresh(turn.bucket, now));
        self.advance(state, now);
        state.nano_tokens = state.nano_tokens.saturating_sub(NANO);
        let missing = u64::try_from(state.nano_tokens.saturating_neg()).unwrap_or(0);
        Duration::from_micros(missing.div_ceil(self.rate(turn.bucket, state.pace_milli)))
    }

    /// Notes that AWS throttled the call: the bucket is empty, and its rate is half of what it was.
    pub fn throttled(&self, turn: &Turn, now: Duration) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let state = held.entry(turn.key.clone()).or_insert_with(|| self.fresh(turn.bucket, now));
        self.advance(state, now);
        state.nano_tokens = state.nano_tokens.min(0);
        if state.pace_milli == 1000 || now.saturating_sub(state.paced_at) >= HALVING_PAUSE {
            state.pace_milli = (state.pace_milli / 2).max(SLOWEST_MILLI);
            state.paced_at = now;
        }
    }

    /// The part of AWS's rate at which a call goes, in thousandths.
    pub fn pace_milli(&self, turn: &Turn, now: Duration) -> u32 {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let pace = held.get_mut(&turn.key).map_or(1000, |state| {
            self.advance(state, now);
            state.pace_milli
        });
        self.share_milli.saturating_mul(pace) / 1000
    }

    fn fresh(&self, bucket: &'static Bucket, now: Duration) -> State {
        State { bucket, nano_tokens: self.burst(bucket), at: now, pace_milli: 1000, paced_at: now }
    }

    /// The most that a bucket holds: at least one token.
    fn burst(&self, bucket: &Bucket) -> i64 {
        let tokens = i64::from(bucket.burst).saturating_mul(self.share_milli.into());
        (NANO / 1000).saturating_mul(tokens).max(NANO)
    }

    /// Tokens in a thousand seconds; at least one.
    fn rate(&self, bucket: &Bucket, pace_milli: u32) -> u64 {
        let shares = u64::from(self.share_milli).saturating_mul(pace_milli.into());
        (u64::from(bucket.milli_per_second).saturating_mul(shares) / 1_000_000).max(1)
    }

    /// Counts what came in since the last time, and gives back pace.
    fn advance(&self, state: &mut State, now: Duration) {
        let passed = u64::try_from(now.saturating_sub(state.at).as_micros()).unwrap_or(u64::MAX);
        let come = self.rate(state.bucket, state.pace_milli).saturating_mul(passed);
        let come = i64::try_from(come).unwrap_or(i64::MAX);
        let most = self.burst(state.bucket);
        state.nano_tokens = state.nano_tokens.saturating_add(come).min(most);
        state.at = state.at.max(now);
        while state.pace_milli < 1000 && now.saturating_sub(state.paced_at) >= RECOVERY_STEP {
            state.pace_milli = state.pace_milli.saturating_add(RECOVERY_MILLI).min(1000);
            state.paced_at = state.paced_at.saturating_add(RECOVERY_STEP);
        }
    }
}

#[cfg(test)]
mod tests;
