//! What sources of files and messages have in common: handing over, telling failures, setting aside what cannot be read.

use std::path::PathBuf;
use std::sync::Arc;

use palisade_api::App;
use palisade_api::own::{NotTaken, note_unread, take_in};
use palisade_api::sources::Source;
use palisade_aws::{CallError, Surroundings as _, Target};
use palisade_core::ident::Region;
use palisade_sources::bucket::fetched;
use palisade_sources::message::Object;
use palisade_sources::settings::Access;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::aws::Aws;
use crate::failure::Failure;

/// Messages that are kept aside; of more each stays in its queue.
pub const ASIDE_MAX: usize = 1_000;

/// One source that hands over.
#[derive(Clone)]
pub struct Taking {
    /// The application.
    pub app: Arc<App>,
    /// Keys and clocks.
    pub aws: Aws,
    /// The source's name.
    name: String,
    /// Folder of what cannot be read.
    aside: PathBuf,
}

/// What became of a file or a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Became {
    /// All that it tells is held.
    Held,
    /// It is nothing that is read, now or later; where its name tells whose it is, that is a gap.
    Unreadable,
    /// It could not be read or held now.
    Failed,
}

impl Taking {
    /// Of the source at this place in the settings.
    pub fn new(
        app: Arc<App>,
        aws: Aws,
        place: usize,
        kind: &'static str,
        aside: PathBuf,
    ) -> Taking {
        let name = format!("inventory[{place}]");
        app.sources.note(&name, |known| known.kind = kind);
        Taking { app, aws, name, aside }
    }

    /// Notes something of the source.
    pub fn note(&self, note: impl FnOnce(&mut Source)) {
        self.app.sources.note(&self.name, note);
    }

    /// Notes a failure.
    pub fn fail(&self, why: &str) {
        tracing::warn!(source = self.name, "{why}");
        let now_ms = self.now_ms();
        self.note(|known| known.failed(now_ms, why));
    }

    /// The time of day, milliseconds since the epoch.
    pub fn now_ms(&self) -> i64 {
        self.aws.surroundings.wall_ms()
    }

    /// Whom to ask of a bucket or a queue in a Region.
    ///
    /// # Errors
    /// The role cannot be asked for.
    pub fn target(&self, access: &Access, region: &Region) -> Result<Target, Failure> {
        let role = access.role.as_deref();
        let target = self.aws.organization(role, access.external_id.as_ref())?;
        Ok(Target { region: region.as_str().into(), ..target })
    }

    /// Hands a delivery over.
    pub async fn take(&self, name: &str, text: Vec<u8>) -> Became {
        match take_in(&self.app, name, text).await {
            Ok(taken) => {
                self.note(|known| known.accepted = known.accepted.saturating_add(taken.accepted));
                Became::Held
            }
            Err(NotTaken::Invalid(why)) => {
                self.fail(&format!("{name}: {why}"));
                Became::Unreadable
            }
            Err(NotTaken::Failed(why)) => {
                self.fail(&format!("{name} was not taken in: {why}"));
                Became::Failed
            }
        }
    }

    /// Reads an object and hands it over. One that is not there any more is a gap, where its key tells whose it is.
    pub async fn take_object(&self, target: &Target, object: &Object) -> Became {
        let Object { bucket, key, version } = object;
        let read = fetched(&self.aws.client, target, bucket, key, version.as_deref()).await;
        match read {
            Ok(content) => self.take(key, content).await,
            Err(error) if is_gone(&error) => self.lose(key, &error.to_string()).await,
            Err(error) => {
                self.fail(&format!("{key}: {error}"));
                Became::Failed
            }
        }
    }

    /// Notes that a file is lost.
    pub async fn lose(&self, key: &str, why: &str) -> Became {
        self.fail(&format!("{key}: {why}"));
        match note_unread(&self.app, key, why).await {
            Ok(()) => Became::Unreadable,
            Err(not) => {
                self.fail(&format!("{key}: {}", not.why()));
                Became::Failed
            }
        }
    }

    /// Keeps a message aside, with why. `false`: there is no room, and it stays where it is.
    pub fn set_aside(&self, id: &str, body: &str, why: &str) -> bool {
        let kept = std::fs::create_dir_all(&self.aside).and_then(|()| {
            if std::fs::read_dir(&self.aside)?.count() >= ASIDE_MAX {
                let full = format!("`{}` holds {ASIDE_MAX} messages", self.aside.display());
                return Err(std::io::Error::other(full));
            }
            // An id is AWS's; what it is called here is ours.
            let digest = Sha256::digest([id.as_bytes(), body.as_bytes()].concat());
            let name: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
            let told = json!({"source": self.name, "id": id, "why": why, "body": body});
            std::fs::write(self.aside.join(format!("{name}.json")), told.to_string())
        });
        match kept {
            Ok(()) => {
                self.note(|known| known.set_aside = known.set_aside.saturating_add(1));
                true
            }
            Err(error) => {
                self.fail(&format!("message {id} cannot be set aside: {error}"));
                false
            }
        }
    }
}

/// Whether an object is not there any more.
fn is_gone(error: &CallError) -> bool {
    ["NoSuchKey", "NoSuchVersion", "NotFound"].contains(&&*error.code)
}
