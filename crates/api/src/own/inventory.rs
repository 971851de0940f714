//! Deliveries: one AWS Config file a request, spooled while it is hashed, parsed once its sender is
//! known, taken in as a whole or not at all.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use palisade_core::ident::ResourceType;
use palisade_core::inventory::{Delivery, DeliveryError, DeliveryReader};
use palisade_store::Accepted;
use palisade_wire::sigv4::Payload;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};

use super::{Refused, actor, finish, not_operator, operator_only, query};
use crate::app::App;
use crate::audit::{self, Actor};
use crate::call::internal;
use crate::inflate::{Inflate, InflateError, is_gzip};
use crate::intake::{Arrived, next_data, too_large, too_slow};
use crate::metrics::Stage;
use crate::mint;
use crate::request::{blocking_unhurried, briefly};
use crate::verify::{foresee_operator, verify};

const NAME: &str = "palisade:inventory";
/// Characters of a delivery's name that the audit log keeps: an object's key in S3 has no more bytes.
const NAME_LEN_MAX: usize = 1024;

#[derive(Debug, Default, Deserialize)]
struct Asked {
    /// The file's original name, which tells the moment of a snapshot.
    #[serde(default)]
    name: String,
}

/// What became of a delivery.
#[derive(Debug, Serialize)]
struct Answer {
    name: String,
    accepted: BTreeMap<ResourceType, u64>,
    stale: u64,
    deleted: u64,
    ignored: u64,
    strangers: u64,
    quarantined: Vec<Quarantined>,
    /// How many more there are than are told one by one.
    #[serde(rename = "quarantinedMore", skip_serializing_if = "is_zero")]
    quarantined_more: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Quarantined {
    index: u64,
    resource_id: Option<String>,
    reason: String,
}

/// `POST /palisade/v1/inventory?name=ORIGINAL-FILE-NAME`
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
    let foreseen = arrived.clone();
    let may = briefly(app, move |app| foresee_operator(app, &foreseen)).await?;
    if !may {
        return Err(not_operator());
    }
    let turn =
        app.deliveries.clone().acquire_owned().await.map_err(|e| Refused::from(internal(e)))?;
    let spooled = app.metrics.awaited(Stage::Spool, spool(app, body)).await?;
    blocking_unhurried(app, move |app| {
        let request = verify(app, &arrived, Payload::Sha256(spooled.sha256), ())?;
        operator_only(&request)?;
        let answer = take_in(app, &actor(app, &request), &asked.name, spooled)?;
        // Held to the end, though whoever asked may be gone by then; but the worker that is woken
        // is not to wait for this one.
        drop(turn);
        app.wake.notify_one();
        Ok(answer)
    })
    .await
}

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
struct Unlinked(PathBuf);

impl Unlinked {
    fn new(path: PathBuf) -> Self {
        // Nameless at once, so that not even a crash leaves it behind.
        let _ = std::fs::remove_file(&path);
        Unlinked(path)
    }
}

impl Drop for Unlinked {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn spool(app: &App, mut body: Body) -> Result<Spooled, Refused> {
    let size_max = app.settings.ingest_size_max;
    let silence = app.settings.ingest_silence;
    let failed = |error: std::io::Error| {
        Refused::from(internal(format!("a delivery cannot be spooled: {error}")))
    };
    let mut spooling = Spooling::of_about(app, body.size_hint().lower());
    let mut hash = Sha256::new();
    let mut size = 0u64;
    loop {
        let next = tokio::time::timeout(silence, next_data(&mut body)).await;
        let Some(data) = next.map_err(|_| Refused::from(too_slow(silence)))?? else { break };
        size = size.saturating_add(data.len() as u64);
        if size > size_max {
            return Err(too_large(size_max).into());
        }
        hash.update(&data);
        spooling.take(app, &data).await.map_err(failed)?;
    }
    let content = spooling.end().await.map_err(failed)?;
    app.metrics.ingested(size);
    Ok(Spooled { content, sha256: hash.finalize().into() })
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

    async fn take(&mut self, app: &App, data: &[u8]) -> std::io::Result<()> {
        if let Some((file, _)) = &mut self.file {
            return file.write_all(data).await;
        }
        if self.held.len().saturating_add(data.len()) <= SPOOLED_IN_MEMORY_MAX {
            self.held.extend_from_slice(data);
            return Ok(());
        }
        let held = std::mem::take(&mut self.held);
        let (file, _) = self.file.insert(spool_file(app).await?);
        file.write_all(&held).await?;
        file.write_all(data).await
    }

    async fn end(self) -> std::io::Result<Content> {
        let Some((mut file, path)) = self.file else { return Ok(Content::Memory(self.held)) };
        file.flush().await?;
        file.seek(SeekFrom::Start(0)).await?;
        Ok(Content::File(file.into_std().await, path))
    }
}

async fn spool_file(app: &App) -> std::io::Result<(tokio::fs::File, Unlinked)> {
    let name = format!("delivery-{}", mint::uuid(&*app.entropy)?);
    let path = app.settings.spool.join(name);
    let mut options = tokio::fs::OpenOptions::new();
    let file = options.read(true).write(true).create_new(true).open(&path).await?;
    Ok((file, Unlinked::new(path)))
}

/// Reads a whole delivery and hands it to the store. Whatever is wrong with the file as a whole,
/// nothing of it is kept.
fn take_in(app: &App, actor: &Actor, name: &str, spooled: Spooled) -> Result<Answer, Refused> {
    let Spooled { content, sha256 } = spooled;
    let delivery = app.metrics.timed(Stage::Parse, || read(app, name, &content))?;
    // Its text is of no use any more while it waits for its turn to be written.
    match content {
        Content::Memory(text) => app.buffers.put_back(text),
        Content::File(..) => {}
    }
    let event = |accepted: &Accepted| {
        let after = json!({
            "sha256": hex(&sha256),
            "accepted": accepted.accepted,
            "stale": accepted.stale,
            "deleted": accepted.deleted,
            "strangers": accepted.strangers,
            "ignored": delivery.ignored,
            "quarantined": delivery.quarantined.len() as u64 + delivery.quarantined_more,
        });
        let name: String = name.chars().take(NAME_LEN_MAX).collect();
        let change = audit::change("delivery", name, None, Some(after));
        actor.event(audit::own::POST_INVENTORY, vec![change])
    };
    let accepted = app
        .metrics
        .timed(Stage::TakeIn, || app.store.accept_audited(&delivery, app.clock.now_ms(), &event))?;
    Ok(told(delivery, accepted))
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
        while let Some(chunk) = source.next_chunk().map_err(failed)? {
            reader.push(chunk).map_err(invalid)?;
        }
        Ok::<(), Refused>(())
    };
    match content {
        // As it lies there: no item is in two chunks then.
        Content::Memory(text) if !is_gzip(text) => reader.push(text).map_err(invalid)?,
        Content::Memory(gzip) => inflated(&mut gzip.as_slice(), &mut reader)?,
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
    app.metrics.items("quarantined", answer.quarantined.len() as u64 + answer.quarantined_more);
}
