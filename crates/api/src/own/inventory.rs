//! Deliveries: one AWS Config file a request, spooled while it is hashed, parsed once its sender is
//! known, taken in as a whole or not at all.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use palisade_core::evaluate;
use palisade_core::ident::ResourceType;
use palisade_core::inventory::{Delivery, DeliveryError, DeliveryReader, ITEM_LAYOUT, Missed};
use palisade_store::{Accepted, AuditEvent, FileHash, Repeated};
use palisade_wire::sigv4::Payload;
use palisade_wire::{ErrorKind, Fault};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};
use tokio::sync::OwnedSemaphorePermit;
use utoipa::{IntoParams, ToSchema};

use super::answer::{Refused, RefusedShape, actor, finish, not_operator, operator_only, query};
use crate::app::App;
use crate::audit::{self, Actor};
use crate::buffers::DELIVERIES_AT_ONCE_MAX;
use crate::fault::internal;
use crate::inflate::{Inflate, InflateError, is_plain};
use crate::intake::{Arrived, Incoming, next_data, too_large, too_slow};
use crate::metrics::Stage;
use crate::mint;
use crate::request::{blocking, blocking_unhurried};
use crate::verify::{foresee, verify};

pub(super) const NAME: &str = "palisade:inventory";
/// Characters of a delivery's name that the audit log keeps: an object's key in S3 has no more bytes.
const NAME_LEN_MAX: usize = 1024;

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// The file's original name, which tells the moment of a snapshot
    #[serde(default)]
    name: String,
}

/// What became of a delivery.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delivery)]
struct Answer {
    name: String,
    /// New states by resource type.
    #[schema(value_type = BTreeMap<String, u64>)]
    accepted: BTreeMap<ResourceType, u64>,
    stale: u64,
    deleted: u64,
    ignored: u64,
    /// Items of accounts outside the organization: kept, unjudged.
    strangers: u64,
    /// The very file was taken in before: it was not read again, and everything counts as stale.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    repeated: bool,
    /// It is of another service than AWS Config, and nothing of it is kept.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    foreign: bool,
    /// Items that cannot be read and of which nothing tells whose they are.
    #[serde(skip_serializing_if = "is_zero")]
    nobodys: u64,
    /// Gaps that it opens, or finds open: what it had, or its source, and did not give.
    #[serde(skip_serializing_if = "is_zero")]
    missed: u64,
    quarantined: Vec<Quarantined>,
    /// How many more there are than are told one by one.
    #[serde(rename = "quarantinedMore", skip_serializing_if = "is_zero")]
    quarantined_more: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Quarantined {
    index: u64,
    resource_id: Option<String>,
    reason: String,
}

/// `POST /palisade/v1/inventory?name=ORIGINAL-FILE-NAME`
#[utoipa::path(
    post,
    path = "/palisade/v1/inventory",
    summary = "Deliver one AWS Config file, plain or gzip",
    params(Asked),
    request_body(content_type = "application/octet-stream"),
    responses(
        (status = 200, description = "Taken in", body = Answer),
        (
            status = 400,
            description = "Refused as a whole; nothing of it was kept",
            body = RefusedShape
        ),
        (status = 413, description = "Too large, or inflates too far", body = RefusedShape),
    )
)]
pub(super) async fn post(State(app): State<Arc<App>>, request: Request) -> Response {
    let answered = receive(&app, request).await;
    if let Ok(answer) = &answered {
        count(&app, answer);
    }
    finish(&app, NAME, answered)
}

async fn receive(app: &Arc<App>, request: Request) -> Result<Answer, Refused> {
    let (parts, body) = request.into_parts();
    let asked: Asked = query(&parts.uri)?;
    let arrived = Arc::new(Arrived::of(&parts)?);
    if body.size_hint().lower() > app.settings.ingest_size_max {
        return Err(too_large(app.settings.ingest_size_max).into());
    }
    let head = arrived.clone();
    let foreseen = blocking(app, move |app| foresee(app, &head)).await?;
    if !foreseen.is_operator() {
        return Err(not_operator());
    }
    foreseen.caller.must_change()?;
    if !foreseen.is_proven {
        let (actor, spooled) = prove(app, &arrived, body).await?;
        let turn = turn(app).await?;
        return take_turn(app, turn, move |app| take_in(app, &actor, &asked.name, spooled)).await;
    }
    let turn = turn(app).await?;
    let spooled = app.metrics.awaited(Stage::Spool, spool(app, body)).await?;
    take_turn(app, turn, move |app| {
        let actor = authentic(app, &arrived, &spooled)?;
        take_in(app, &actor, &asked.name, spooled)
    })
    .await
}

/// A turn to be received, read and written, if there is one soon.
async fn turn(app: &App) -> Result<OwnedSemaphorePermit, Refused> {
    let waiting = app.deliveries.clone().acquire_owned();
    match tokio::time::timeout(app.settings.ingest_wait, waiting).await {
        Ok(turn) => turn.map_err(|error| internal(error).into()),
        Err(_) => Err(Refused::busy(format!(
            "{DELIVERIES_AT_ONCE_MAX} deliveries are under way; send this one again after a pause"
        ))),
    }
}

/// Does the `work` of a delivery that has its turn.
async fn take_turn(
    app: &Arc<App>,
    turn: OwnedSemaphorePermit,
    work: impl FnOnce(&App) -> Result<Answer, Refused> + Send + 'static,
) -> Result<Answer, Refused> {
    blocking_unhurried(app, move |app| {
        let answer = work(app)?;
        // Held to the end, though whoever asked may be gone by then; but the worker that is woken
        // is not to wait for this one.
        drop(turn);
        app.wake.notify_one();
        Ok(answer)
    })
    .await
}

/// What became of a delivery of a source.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TakenIn {
    /// New states.
    pub accepted: u64,
    /// Gaps that it tells.
    pub missed: u64,
}

/// Takes in what a source of this server read.
pub(super) async fn take_in_own(
    app: &Arc<App>,
    actor: Actor,
    name: String,
    text: Vec<u8>,
    sha256: [u8; 32],
) -> Result<TakenIn, Refused> {
    let turn = app.deliveries.clone().acquire_owned().await.map_err(internal)?;
    let spooled = Spooled { content: Content::Memory(text), sha256 };
    let answered = take_turn(app, turn, move |app| take_in(app, &actor, &name, spooled)).await;
    let answer = answered?;
    count(app, &answer);
    Ok(TakenIn { accepted: answer.accepted.values().sum(), missed: answer.missed })
}

/// Notes that a source of this server could not read a file.
pub(super) fn miss_own(app: &App, actor: &Actor, name: &str, why: &str) -> Result<(), Refused> {
    miss(app, actor, name, &[0; 32], &Refused::invalid(why))
}

/// Who sent a delivery, once all of it is there.
fn authentic(app: &App, arrived: &Arrived, spooled: &Spooled) -> Result<Actor, Refused> {
    let request = verify(app, arrived, Payload::Sha256(spooled.sha256), ())?;
    operator_only(&request)?;
    request.caller().must_change()?;
    Ok(actor(app, &request))
}

/// Receives a delivery of which anybody who knows the key's id may be the sender, and finds out. It
/// holds no turn meanwhile and no room on the disk, only what all such bodies may hold of memory.
async fn prove(
    app: &Arc<App>,
    arrived: &Arc<Arrived>,
    body: Body,
) -> Result<(Actor, Spooled), Refused> {
    let too_long = |fault: Fault| match fault.kind {
        ErrorKind::RequestEntityTooLarge => Refused::from(Fault::new(
            fault.kind,
            format!(
                "{}; larger deliveries need a head that proves who sends them: sign the header \
                 `x-amz-content-sha256` with the SHA-256 of the body, as `palisade ingest` does",
                fault.message
            ),
        )),
        _ => fault.into(),
    };
    let size_max = UNPROVEN_DELIVERY_SIZE_MAX
        .min(usize::try_from(app.settings.ingest_size_max).unwrap_or(usize::MAX));
    let received = async {
        let share = app.unproven.share(arrived.peer);
        share.grow(arrived.size())?;
        let incoming = Incoming::of(body, size_max)?;
        Ok((incoming.whole(app.settings.ingest_silence, &share).await?, share))
    };
    let received = app.metrics.awaited(Stage::Spool, received).await;
    let (text, share) = received.map_err(too_long)?;
    let arrived = arrived.clone();
    blocking_unhurried(app, move |app| {
        app.metrics.ingested(text.len() as u64);
        let sha256 = Sha256::digest(&text).into();
        let spooled = Spooled { content: Content::Memory(text), sha256 };
        let actor = authentic(app, &arrived, &spooled)?;
        drop(share);
        Ok((actor, spooled))
    })
    .await
}

/// How the names of files begin in which deliveries wait.
pub const SPOOLED_PREFIX: &str = "delivery-";
/// Bytes of a delivery whose head does not prove who sends it: 8 MiB.
pub const UNPROVEN_DELIVERY_SIZE_MAX: usize = 8 * 1024 * 1024;
/// Bytes of a delivery that waits in memory until it is authentic; a longer one waits in a file. At
/// most [`crate::DELIVERIES_AT_ONCE_MAX`] are under way at one time.
pub const SPOOLED_IN_MEMORY_MAX: usize = 16 * 1024 * 1024;

/// A body that came to its end, with its hash.
struct Spooled {
    content: Content,
    sha256: [u8; 32],
}

enum Content {
    Memory(Vec<u8>),
    /// Gone when this is dropped.
    File(File, #[expect(dead_code, reason = "its end removes the file")] Unlinked),
}

/// A file without a name, where the system allows that; otherwise removed at the end.
struct Unlinked {
    path: PathBuf,
    size: u64,
    /// What all such files have.
    spooled: Arc<AtomicU64>,
}

impl Unlinked {
    fn new(app: &App, path: PathBuf) -> Self {
        // Nameless at once, so that not even a crash leaves it behind.
        let _ = std::fs::remove_file(&path);
        Unlinked { path, size: 0, spooled: app.spooled.clone() }
    }

    /// Notes that `more` bytes will be written.
    fn grow(&mut self, app: &App, more: usize) -> Result<(), Refused> {
        let more = more as u64;
        self.size = self.size.saturating_add(more);
        let all = self.spooled.fetch_add(more, Ordering::Relaxed).saturating_add(more);
        match all > app.settings.spool_size_max {
            true => Err(Refused::busy(format!(
                "deliveries under way have more than {} bytes together; send this one again after \
                 a pause",
                app.settings.spool_size_max
            ))),
            false => Ok(()),
        }
    }
}

impl Drop for Unlinked {
    fn drop(&mut self) {
        self.spooled.fetch_sub(self.size, Ordering::Relaxed);
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn spool(app: &App, mut body: Body) -> Result<Spooled, Refused> {
    let size_max = app.settings.ingest_size_max;
    let silence = app.settings.ingest_silence;
    let mut spooling = Spooling::of_about(app, body.size_hint().lower());
    let mut hash = Sha256::new();
    let (mut size, mut waited) = (0u64, Duration::ZERO);
    loop {
        let before = Instant::now();
        let next = tokio::time::timeout(silence, next_data(&mut body)).await;
        let Some(data) = next.map_err(|_| Refused::from(too_slow(silence)))?? else { break };
        waited = waited.saturating_add(before.elapsed());
        size = size.saturating_add(data.len() as u64);
        if size > size_max {
            return Err(too_large(size_max).into());
        }
        let pace_min = app.settings.ingest_pace_min;
        if waited > silence && size < pace_min.saturating_mul(waited.as_secs()) {
            return Err(Refused::from(Fault::new(
                ErrorKind::RequestTimeout,
                format!("the delivery came with fewer than {pace_min} bytes a second"),
            )));
        }
        hash.update(&data);
        spooling.take(app, &data).await?;
    }
    let content = spooling.end().await.map_err(unspooled)?;
    app.metrics.ingested(size);
    Ok(Spooled { content, sha256: hash.finalize().into() })
}

fn unspooled(error: std::io::Error) -> Refused {
    internal(format!("a delivery cannot be spooled: {error}")).into()
}

/// A body on its way.
struct Spooling {
    /// All of it, while there is no file.
    held: Vec<u8>,
    file: Option<(tokio::fs::File, Unlinked)>,
}

impl Spooling {
    /// What is announced is reserved at once, and touched only as far as bytes come.
    fn of_about(app: &App, announced: u64) -> Spooling {
        let announced = usize::try_from(announced).unwrap_or(usize::MAX);
        Spooling { held: app.buffers.take(announced.min(SPOOLED_IN_MEMORY_MAX)), file: None }
    }

    async fn take(&mut self, app: &App, data: &[u8]) -> Result<(), Refused> {
        if let Some((file, unlinked)) = &mut self.file {
            unlinked.grow(app, data.len())?;
            return file.write_all(data).await.map_err(unspooled);
        }
        if self.held.len().saturating_add(data.len()) <= SPOOLED_IN_MEMORY_MAX {
            self.held.extend_from_slice(data);
            return Ok(());
        }
        let held = std::mem::take(&mut self.held);
        let (file, unlinked) = self.file.insert(spool_file(app).await.map_err(unspooled)?);
        unlinked.grow(app, held.len().saturating_add(data.len()))?;
        file.write_all(&held).await.map_err(unspooled)?;
        file.write_all(data).await.map_err(unspooled)
    }

    async fn end(self) -> std::io::Result<Content> {
        let Some((mut file, path)) = self.file else { return Ok(Content::Memory(self.held)) };
        file.flush().await?;
        file.seek(SeekFrom::Start(0)).await?;
        Ok(Content::File(file.into_std().await, path))
    }
}

async fn spool_file(app: &App) -> std::io::Result<(tokio::fs::File, Unlinked)> {
    let name = format!("{SPOOLED_PREFIX}{}", mint::uuid(&*app.entropy)?);
    let path = app.settings.spool.join(name);
    let mut options = tokio::fs::OpenOptions::new();
    let file = options.read(true).write(true).create_new(true).open(&path).await?;
    Ok((file, Unlinked::new(app, path)))
}

/// Reads a whole delivery and hands it to the store. Whatever is wrong with the file as a whole,
/// nothing of it is kept but that it was not seen, where its name tells whose it is: a refusal may
/// reach nobody, and what the account came to without the file would stand (semantics §11 row 39).
///
/// A file that was taken in before is known by its bytes, and not even read.
fn take_in(app: &App, actor: &Actor, name: &str, spooled: Spooled) -> Result<Answer, Refused> {
    let Spooled { content, sha256 } = spooled;
    let file = file_hash(name, &sha256);
    if let Some(answer) = app.metrics.timed(Stage::TakeIn, || again(app, name, &file))? {
        put_back(app, content);
        return Ok(answer);
    }
    let delivery = match app.metrics.timed(Stage::Parse, || read(app, name, &content)) {
        Ok(delivery) => delivery,
        Err(refused) => {
            if refused.status.is_client_error() {
                miss(app, actor, name, &sha256, &refused)?;
            }
            return Err(refused);
        }
    };
    // Its text is of no use any more while it waits for its turn to be written.
    put_back(app, content);
    let event = |accepted: &Accepted| {
        let after = json!({
            "sha256": hex(&sha256),
            "accepted": accepted.accepted,
            "stale": accepted.stale,
            "deleted": accepted.deleted,
            "strangers": accepted.strangers,
            "ignored": delivery.ignored,
            "foreign": delivery.foreign,
            "nobodys": delivery.nobodys,
            "missed": delivery.missed.len(),
            "quarantined": delivery.quarantined.len() as u64 + delivery.quarantined_more,
        });
        delivered(actor, name, after)
    };
    let accepted = app.metrics.timed(Stage::TakeIn, || {
        app.store.accept_file(Some(&file), &delivery, app.clock.now_ms(), Some(&event))
    })?;
    Ok(told(delivery, accepted))
}

fn put_back(app: &App, content: Content) {
    match content {
        Content::Memory(text) => app.buffers.put_back(text),
        Content::File(..) => {}
    }
}

/// The event of a delivery, of which `after` is told.
fn delivered(actor: &Actor, name: &str, after: Value) -> AuditEvent {
    let name: String = name.chars().take(NAME_LEN_MAX).collect();
    let change = audit::change("delivery", name, None, Some(after));
    actor.event(audit::own::POST_INVENTORY, vec![change])
}

/// Which file it is. What it tells follows from its bytes, its name, and how they are read: another edition may
/// read more of it, as may one with other rules, and one with another layout may read again what this one stored.
fn file_hash(name: &str, sha256: &[u8; 32]) -> FileHash {
    let edition = format!("{}/{}/{}", env!("CARGO_PKG_VERSION"), evaluate::RULES, ITEM_LAYOUT);
    let mut hash = Sha256::new();
    for part in [edition.as_bytes(), name.as_bytes(), sha256] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    FileHash(hash.finalize().into())
}

/// What is answered to a file that was taken in before, as if it were read once more: nothing of it is news,
/// and so nothing for the audit log.
fn again(app: &App, name: &str, file: &FileHash) -> Result<Option<Answer>, Refused> {
    let known = app.store.accept_again(file)?;
    Ok(known.map(|Repeated { items, ignored }| {
        let delivery = Delivery { name: name.to_owned(), ignored, ..Delivery::default() };
        let accepted = Accepted { stale: items, ..Accepted::default() };
        Answer { repeated: true, ..told(delivery, accepted) }
    }))
}

/// Notes that a file was not seen. One whose name tells no account is told in the answer alone: held
/// against everybody, any file of another kind would leave the whole organization without results.
fn miss(
    app: &App,
    actor: &Actor,
    name: &str,
    sha256: &[u8; 32],
    refused: &Refused,
) -> Result<(), Refused> {
    let now_ms = app.clock.now_ms();
    let mut missed = Missed::file(name, None, now_ms);
    missed.retain(|missed| missed.account.is_some());
    if missed.is_empty() {
        return Ok(());
    }
    let event = |_: &Accepted| {
        let after = json!({"sha256": hex(sha256), "refused": refused.code, "missed": missed.len()});
        let name: String = name.chars().take(NAME_LEN_MAX).collect();
        actor.event(
            audit::own::POST_INVENTORY,
            vec![audit::change("delivery", name, None, Some(after))],
        )
    };
    let unseen = Delivery { name: name.to_owned(), missed: missed.clone(), ..Delivery::default() };
    app.store.accept(&unseen, now_ms, Some(&event))?;
    app.wake.notify_one();
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read(app: &App, name: &str, content: &Content) -> Result<Delivery, Refused> {
    let shown = if name.is_empty() { "the delivery".to_owned() } else { format!("`{name}`") };
    let mut reader = DeliveryReader::new(name).encoding().received(app.clock.now_ms());
    let invalid = |error: DeliveryError| {
        Refused::new(StatusCode::BAD_REQUEST, "InvalidDelivery", format!("{shown}: {error}"))
    };
    let inflated = |source: &mut dyn Read, reader: &mut DeliveryReader| {
        let failed = |error| unread(&shown, error);
        let mut source = Inflate::new(source, app.settings.inflate).map_err(failed)?;
        loop {
            match source.next_chunk() {
                Ok(Some(chunk)) => reader.push(chunk).map_err(invalid)?,
                Ok(None) => return Ok::<(), Refused>(()),
                // Why another service's file cannot be read does not matter.
                Err(InflateError::Truncated { .. } | InflateError::Damaged { .. })
                    if reader.is_foreign() =>
                {
                    return Ok(());
                }
                Err(error) => return Err(failed(error)),
            }
        }
    };
    match content {
        // As it lies there: no item is in two chunks then.
        Content::Memory(text) if is_plain(text) => reader.push(text).map_err(invalid)?,
        Content::Memory(packed) => inflated(&mut packed.as_slice(), &mut reader)?,
        Content::File(file, _) => inflated(&mut &*file, &mut reader)?,
    }
    reader.finish().map_err(invalid)
}

fn unread(shown: &str, error: InflateError) -> Refused {
    let message = format!("{shown}: {error}");
    match error {
        InflateError::Bomb { .. } => {
            Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "InflatesTooFar", message)
        }
        InflateError::Truncated { .. } | InflateError::Damaged { .. } => {
            Refused::new(StatusCode::BAD_REQUEST, "InvalidDelivery", message)
        }
        InflateError::Source(_) => internal(message).into(),
    }
}

fn told(delivery: Delivery, accepted: Accepted) -> Answer {
    Answer {
        name: delivery.name,
        accepted: accepted.accepted,
        stale: accepted.stale,
        deleted: accepted.deleted,
        ignored: delivery.ignored,
        strangers: accepted.strangers,
        repeated: false,
        foreign: delivery.foreign,
        nobodys: delivery.nobodys,
        missed: delivery.missed.len() as u64,
        quarantined_more: delivery.quarantined_more,
        quarantined: delivery
            .quarantined
            .into_iter()
            .map(|item| Quarantined {
                index: item.index,
                resource_id: item.resource_id,
                reason: item.reason,
            })
            .collect(),
    }
}

fn count(app: &App, answer: &Answer) {
    app.metrics.items("accepted", answer.accepted.values().sum());
    app.metrics.items("stale", answer.stale);
    app.metrics.items("deleted", answer.deleted);
    app.metrics.items("ignored", answer.ignored);
    app.metrics.items("stranger", answer.strangers);
    app.metrics.items("nobodys", answer.nobodys);
    app.metrics.items("quarantined", answer.quarantined.len() as u64 + answer.quarantined_more);
}
