//! What is refused for being one call too many is sent again after a pause, as AWS's SDKs do.

use std::time::Duration;

use serde_json::Value;

use super::refusal::Refusal;

/// How often a call is sent that is refused for being one too many.
const ATTEMPTS_MAX: u32 = 8;
/// How long the first pause between them is; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(250);
/// How long a pause is at most.
const PAUSE_MAX: Duration = Duration::from_secs(4);

/// What sending one request comes to.
pub(super) type Sent = Result<Value, Result<Refusal, ureq::Error>>;

/// Sends again after a pause, as AWS's SDKs do, what was refused for being one call too many.
pub(super) fn patiently(mut send: impl FnMut() -> Sent) -> Sent {
    let mut pause = PAUSE;
    for _ in 1..ATTEMPTS_MAX {
        match send() {
            Err(Ok(refusal)) if refusal.is_throttling() => {
                std::thread::sleep(pause);
                pause = pause.saturating_mul(2).min(PAUSE_MAX);
            }
            done => return done,
        }
    }
    send()
}
