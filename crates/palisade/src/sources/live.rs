//! The APIs of the services: every account of the organization in every Region, again and again.

use std::sync::Arc;
use std::time::Duration;

use palisade_api::App;
use palisade_api::own::take_in;
use palisade_aws::Surroundings as _;
use palisade_core::ident::AccountId;
use palisade_sources::Collection;
use palisade_sources::settings::LiveSource;
use tokio::sync::{mpsc, watch};

use super::due::due;
use crate::aws::Aws;
use crate::reading::Asked;
use crate::stop::until;

/// How often it is looked whether there is an organization by now.
const LOOK: Duration = Duration::from_secs(1);

/// Reads inventory.
pub struct Reader {
    app: Arc<App>,
    aws: Aws,
    source: LiveSource,
    name: String,
}

/// What reading came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Read {
    /// There is no organization yet.
    Nobody,
    /// Nothing could be read.
    Nothing,
    /// Something could.
    Some,
}

impl Reader {
    /// Of these settings; `place` is theirs in the file.
    pub fn new(app: Arc<App>, aws: Aws, source: LiveSource, place: usize) -> Reader {
        let name = format!("inventory[{place}]");
        app.sources.note(&name, |known| known.kind = "live");
        Reader { app, aws, source, name }
    }

    /// Reads it until the server stops.
    pub async fn read_on(self, stopped: watch::Receiver<bool>) {
        loop {
            let read = tokio::select! {
                read = self.read() => read,
                () = until(stopped.clone()) => return,
            };
            let every = if read == Read::Nobody { LOOK } else { self.source.every };
            let note = |next_ms| {
                self.app.sources.note(&self.name, |known| known.next_ms = Some(next_ms));
            };
            if !due(&self.aws, every, read == Read::Nothing, &stopped, note).await {
                return;
            }
        }
    }

    /// Reads every account once.
    async fn read(&self) -> Read {
        let Some(accounts) = self.members().await else { return Read::Nobody };
        let begun_ms = self.aws.surroundings.wall_ms();
        self.app.sources.note(&self.name, |known| {
            known.begun_ms = Some(begun_ms);
            known.failures.clear();
        });
        let own = self.aws.account().await;
        if let Err(failure) = &own {
            // Each account is asked all the same, and says itself what stands in the way.
            self.fail(&failure.to_string());
        }
        let asked = Asked {
            aws: self.aws.clone(),
            own: own.ok(),
            role: Some(self.source.role.clone()),
            external_id: self.source.external_id.clone(),
            regions: self.source.regions.clone(),
            at_once: self.source.at_once,
        };
        let (to, mut from) = mpsc::channel::<Collection>(1);
        let taking = async {
            let (mut gaps, mut complete) = (0, 0);
            while let Some(collection) = from.recv().await {
                complete += collection.complete.len();
                gaps += self.take(collection).await;
            }
            (gaps, complete)
        };
        let (read, (gaps, complete)) = tokio::join!(asked.each(&accounts, to), taking);
        if let Err(failure) = read {
            self.fail(&failure.to_string());
        }
        let ended_ms = self.aws.surroundings.wall_ms();
        self.app.sources.note(&self.name, |known| {
            known.ended_ms = Some(ended_ms);
            known.took_ms = ended_ms.saturating_sub(begun_ms);
            known.gaps = gaps;
            if gaps == 0 && complete > 0 {
                known.whole_ms = Some(begun_ms);
            }
        });
        if complete > 0 { Read::Some } else { Read::Nothing }
    }

    /// Hands a collection over; answers how many gaps it leaves.
    async fn take(&self, collection: Collection) -> u64 {
        for failed in &collection.failed {
            self.fail(&failed.error.to_string());
        }
        let kinds = collection.complete.len().saturating_add(collection.failed.len());
        let taken = take_in(&self.app, &collection.file_name(), collection.text()).await;
        match taken {
            Ok(taken) => {
                self.app.sources.note(&self.name, |known| {
                    known.accepted = known.accepted.saturating_add(taken.accepted);
                });
                collection.failed.len() as u64
            }
            Err(why) => {
                let (file, why) = (collection.file_name(), why.why());
                self.fail(&format!("`{file}` was not taken in: {why}"));
                kinds as u64
            }
        }
    }

    fn fail(&self, why: &str) {
        let now_ms = self.aws.surroundings.wall_ms();
        self.app.sources.note(&self.name, |known| known.failed(now_ms, why));
    }

    /// The accounts that are judged; `None` while there is no organization.
    async fn members(&self) -> Option<Vec<String>> {
        let app = self.app.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let view = app.view()?;
            let organization = view.organization();
            let ids = |organization: &palisade_core::organization::Organization| {
                organization.judged_accounts().map(AccountId::to_string).collect::<Vec<_>>()
            };
            Ok::<_, palisade_store::StoreError>(organization.map(ids))
        });
        match asked.await {
            Ok(Ok(members)) => members,
            Ok(Err(error)) => {
                self.fail(&format!("the organization cannot be read from the store: {error}"));
                None
            }
            Err(_) => None,
        }
    }
}
