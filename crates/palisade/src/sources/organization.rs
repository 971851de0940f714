//! The organization, read again and again from AWS Organizations.

use std::sync::Arc;

use palisade_api::App;
use palisade_api::own::{Renewed, renew_organization};
use palisade_aws::Surroundings as _;
use palisade_sources::read_organization;
use palisade_sources::settings::OrganizationSource;
use tokio::sync::watch;

use super::due::due;
use crate::aws::Aws;

/// Its name among the sources.
const NAME: &str = "organization";

/// Reads the organization.
pub struct Reader {
    app: Arc<App>,
    aws: Aws,
    source: OrganizationSource,
}

impl Reader {
    /// Of these settings.
    pub fn new(app: Arc<App>, aws: Aws, source: OrganizationSource) -> Reader {
        app.sources.note(NAME, |known| known.kind = "organization");
        Reader { app, aws, source }
    }

    /// Reads it until the server stops.
    pub async fn read_on(self, stopped: watch::Receiver<bool>) {
        loop {
            let has_failed = self.read().await.is_err();
            let note = |next_ms| self.app.sources.note(NAME, |known| known.next_ms = Some(next_ms));
            if !due(&self.aws, self.source.every, has_failed, &stopped, note).await {
                return;
            }
        }
    }

    /// Reads it once. What fails changes nothing.
    async fn read(&self) -> Result<(), ()> {
        let begun_ms = self.aws.surroundings.wall_ms();
        self.app.sources.note(NAME, |known| {
            known.begun_ms = Some(begun_ms);
            known.failures.clear();
        });
        let ended = self.renew().await;
        let ended_ms = self.aws.surroundings.wall_ms();
        self.app.sources.note(NAME, |known| {
            known.ended_ms = Some(ended_ms);
            known.took_ms = ended_ms.saturating_sub(begun_ms);
            known.gaps = u64::from(ended.is_err());
            match &ended {
                Ok(_) => known.whole_ms = Some(begun_ms),
                Err(why) => known.failed(ended_ms, why),
            }
        });
        match ended {
            Ok(Renewed::Same) => Ok(()),
            Ok(Renewed::Applied { marked }) => {
                tracing::info!(marked, "the organization was read and is another than before");
                Ok(())
            }
            Err(why) => {
                tracing::warn!("the organization was not renewed: {why}");
                Err(())
            }
        }
    }

    async fn renew(&self) -> Result<Renewed, String> {
        let OrganizationSource { role, external_id, .. } = &self.source;
        let target = self.aws.organization(role.as_deref(), external_id.as_ref());
        let target = target.map_err(|failure| failure.to_string())?;
        let read = read_organization(&self.aws.client, &target).await;
        let (organization, _) = read.map_err(|error| error.to_string())?;
        renew_organization(&self.app, organization).await
    }
}
