//! Sessions of people who look at pages. A session is an access key's: it is sealed into a cookie, and
//! every request looks its key up again, so that it ends with the key.

use palisade_store::KeyRecord;
use palisade_wire::{ErrorKind, Fault};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::app::App;
use crate::audit::Actor;
use crate::budget::Peer;
use crate::fault::internal;
use crate::keys::{KeyError, Keyring};
use crate::mint;
use crate::pages::Binding;
pub use crate::remembered::{LINKS_MAX, SIGNED_OUT_MAX};
use crate::throttle::Rate;
use crate::vault::Vault;

/// How long a session lasts at most: 12 hours.
pub const SESSION_MS_MAX: i64 = 12 * 60 * 60 * 1_000;
/// How long a one-time link may wait to be followed: 5 minutes.
pub const LINK_MS_MAX: i64 = 5 * 60 * 1_000;
/// How often one key id, and one peer, may be tried: one a second after ten at once.
pub const TRIES: Rate = Rate { per_second: 1, burst_max: 10 };

/// Where a one-time link leads, with its token as `link`.
pub const LINK_PATH: &str = "/sign-in/link";

/// What a sealed session is bound to.
const BINDING: Binding<'static> = Binding { caller: "", operation: "session", filter: &[] };

/// One session, as its cookie holds it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Session {
    /// Random and told nobody: what its forms carry is derived from it.
    id: String,
    /// The access key that it is of.
    access_key_id: String,
    /// When it ends, milliseconds since the epoch.
    until_ms: i64,
}

/// A session that just began, and what its browser is to keep.
#[derive(Debug)]
pub struct Begun {
    /// The cookie's value.
    pub sealed: String,
    /// How long the browser keeps it, seconds.
    pub lasts_secs: i64,
}

/// A link that signs one person in, once.
#[derive(Debug)]
pub struct Link {
    /// What it carries.
    pub token: String,
    /// Until when it can be followed, milliseconds since the epoch.
    pub until_ms: i64,
}

impl Session {
    /// The key that the session is of.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// When it began, milliseconds since the epoch.
    fn began_ms(&self) -> i64 {
        self.until_ms.saturating_sub(SESSION_MS_MAX)
    }
}

/// What the forms of a session's pages carry, so that no other site can send one. Where nobody signs in, the
/// pages of one process share a token.
///
/// # Errors
/// When no random bytes can be had.
pub(crate) fn page_token(app: &App, session: Option<&Session>) -> Result<String, Fault> {
    match session {
        Some(session) => Ok(hash(&["form", &session.id])),
        None => app.sessions.open_token(|| secret_text(app)),
    }
}

/// Begins a session of the key whose id and secret somebody typed in.
///
/// # Errors
/// AccessDenied in the same words for a key that is not there, one that is disabled and a wrong secret;
/// ThrottlingException; failures of the store and the vault.
pub(crate) fn sign_in(
    app: &App,
    peer: Peer,
    access_key_id: &str,
    secret: &str,
) -> Result<Begun, Fault> {
    let now_ms = app.clock.now_ms();
    app.sessions.tries.take(TRIES, &format!("peer {peer:?}"), now_ms)?;
    app.sessions.tries.take(TRIES, &format!("key {}", hash(&[access_key_id])), now_ms)?;
    let key = app.store.key(access_key_id).map_err(internal)?;
    let Some(key) = key else { return Err(refused("no such key")) };
    let known = vault(app)?.open(&key).map_err(internal)?;
    // In this order: who does not know the secret is not told that a key is disabled.
    if !known.is(secret) {
        return Err(refused("another secret"));
    }
    begin(app, &key)
}

/// Begins a session of the key that made this link. A link is followed once.
///
/// # Errors
/// AccessDenied for a link that is not known, was followed before or is too old; ThrottlingException;
/// as [`sign_in`] where its key is disabled or gone.
pub(crate) fn follow(app: &App, peer: Peer, token: &str) -> Result<Begun, Fault> {
    let now_ms = app.clock.now_ms();
    app.sessions.tries.take(TRIES, &format!("peer {peer:?}"), now_ms)?;
    let taken = app.sessions.take_link(&hash(&["link", token]), now_ms);
    let used = || {
        Fault::new(
            ErrorKind::AccessDenied,
            "this link was followed before, or is older than five minutes; `palisade dashboard` prints another",
        )
    };
    let (access_key_id, until_ms) = taken.ok_or_else(used)?;
    let key = app.store.key(&access_key_id).map_err(internal)?;
    let Some(key) = key else { return Err(refused("the key of a link is gone")) };
    // On another server over the store.
    if is_signed_out(&key, until_ms.saturating_sub(LINK_MS_MAX)) {
        return Err(used());
    }
    vault(app)?.open(&key).map_err(internal)?;
    begin(app, &key)
}

/// Makes a link for the caller with this key.
///
/// # Errors
/// When no random bytes can be had.
pub(crate) fn link(app: &App, access_key_id: &str) -> Result<Link, Fault> {
    let token = secret_text(app)?;
    let now_ms = app.clock.now_ms();
    let until_ms = now_ms.saturating_add(LINK_MS_MAX);
    app.sessions.keep_link(hash(&["link", &token]), access_key_id, until_ms, now_ms);
    Ok(Link { token, until_ms })
}

/// The session in a cookie, and its key as it is now; `None` where it has ended: after its time, by
/// signing out, or because its key is gone, disabled, expired or cannot be opened.
///
/// # Errors
/// Failures of the store.
pub(crate) fn open(app: &App, sealed: &str) -> Result<Option<(Session, KeyRecord)>, Fault> {
    let vault = vault(app)?;
    let Some(text) = vault.sessions().open(BINDING, sealed) else { return Ok(None) };
    let Ok(session) = serde_json::from_str::<Session>(&text) else { return Ok(None) };
    let is_over = app.clock.now_ms() >= session.until_ms || app.sessions.has_ended(&session.id);
    if is_over {
        return Ok(None);
    }
    let key = app.store.key(&session.access_key_id).map_err(internal)?;
    let now_ms = app.clock.now_ms();
    let is_good = |key: &KeyRecord| {
        let is_signed_out = is_signed_out(key, session.began_ms());
        key.enabled && !key.has_expired(now_ms) && !is_signed_out && vault.open(key).is_ok()
    };
    Ok(key.filter(is_good).map(|key| (session, key)))
}

/// Ends a session, whoever has a copy of its cookie.
pub(crate) fn sign_out(app: &App, session: &Session) {
    app.sessions.end(&session.id, session.until_ms, app.clock.now_ms());
}

/// Ends every session of the session's key that began until now, on every server over the store, and its
/// links that wait.
///
/// # Errors
/// Failures of the store.
pub(crate) fn sign_out_everywhere(
    app: &App,
    session: &Session,
    actor: &Actor,
) -> Result<(), Fault> {
    let keys = Keyring {
        store: &*app.store,
        vault: app.settings.vault.as_deref(),
        entropy: &*app.entropy,
        actor,
        keeps_an_operator: false,
    };
    match keys.sign_out(&session.access_key_id) {
        // Its sessions ended with it.
        Ok(()) | Err(KeyError::Unknown(_)) => {}
        Err(error) => return Err(internal(error)),
    }
    app.sessions.drop_links(&session.access_key_id);
    tracing::info!(key = session.access_key_id, "signed out of the dashboard everywhere");
    Ok(())
}

/// Whether what began at a moment with a key ended when its holder signed out everywhere.
fn is_signed_out(key: &KeyRecord, began_ms: i64) -> bool {
    key.signed_out_ms.is_some_and(|ended_ms| began_ms <= ended_ms)
}

/// 32 random bytes as text.
///
/// # Errors
/// When no random bytes can be had.
pub(crate) fn secret_text(app: &App) -> Result<String, Fault> {
    let drawn = (mint::uuid(&*app.entropy), mint::uuid(&*app.entropy));
    let (one, other) = (drawn.0.map_err(internal)?, drawn.1.map_err(internal)?);
    Ok(hash(&[&one, &other]))
}

/// A session of its own, whatever cookie the browser came with.
fn begin(app: &App, key: &KeyRecord) -> Result<Begun, Fault> {
    if !key.enabled {
        return Err(refused("the key is disabled"));
    }
    let now_ms = app.clock.now_ms();
    if key.has_expired(now_ms) {
        return Err(refused("the key has expired"));
    }
    let session = Session {
        id: secret_text(app)?,
        access_key_id: key.access_key_id.clone(),
        until_ms: now_ms.saturating_add(SESSION_MS_MAX),
    };
    let text = serde_json::to_string(&session).map_err(internal)?;
    let sealer = vault(app)?.sessions();
    let sealed = sealer.seal(&*app.entropy, BINDING, &text).map_err(internal)?;
    app.uses.note(&key.access_key_id, now_ms);
    tracing::info!(key = key.access_key_id, "signed in to the dashboard");
    Ok(Begun { sealed, lasts_secs: SESSION_MS_MAX / 1_000 })
}

fn vault(app: &App) -> Result<&Vault, Fault> {
    let none = || internal("sessions are sealed and no sealing key was given");
    app.settings.vault.as_deref().ok_or_else(none)
}

/// The refusal of whoever is not let in: the log alone learns why.
fn refused(why: &str) -> Fault {
    tracing::info!(why, "not signed in");
    Fault::new(
        ErrorKind::AccessDenied,
        "the access key id or its secret is not right, or the key is disabled or has expired",
    )
}

/// These texts under one hash, each with its length in front.
fn hash(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
