//! A bucket of AWS Config's deliveries: walked through now and then, each object read once, the newest first.

use palisade_aws::Target;
use palisade_sources::bucket::{Bucket, KEYS_MAX, Remembered, Waiting};
use palisade_sources::message::Object;
use palisade_sources::settings::{BucketSource, QueueSource};
use tokio::sync::watch;

use super::due::due;
use super::queue;
use super::taking::{Became, Taking};
use crate::stop::until;

/// Reads a bucket.
pub struct Reader {
    taking: Taking,
    source: BucketSource,
    /// Objects that were read since the server began; it reads them once more after that, which changes nothing.
    remembered: Remembered,
}

/// What a walk came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Walked {
    /// Everything was read.
    Whole,
    /// There is more than one walk reads.
    More,
    /// Something could not be read.
    Failed,
}

impl Reader {
    /// Of these settings.
    pub fn new(taking: Taking, source: BucketSource) -> Reader {
        Reader { taking, source, remembered: Remembered::default() }
    }

    /// Reads it, and its queue, until the server stops.
    pub async fn read_on(mut self, stopped: watch::Receiver<bool>) {
        let target = match self.taking.target(&self.source.access, &self.source.region) {
            Ok(target) => target,
            Err(failure) => return self.taking.fail(&failure.to_string()),
        };
        if let Some(url) = self.source.queue.clone() {
            let (region, access) = (self.source.region.clone(), self.source.access.clone());
            let source = QueueSource { queue: url, region, access };
            tokio::spawn(queue::Reader::new(self.taking.clone(), source).read_on(stopped.clone()));
        }
        loop {
            let walked = tokio::select! {
                walked = self.walk(&target) => walked,
                () = until(stopped.clone()) => return,
            };
            if walked == Walked::More {
                continue;
            }
            let taking = self.taking.clone();
            let note = |next_ms| taking.note(|known| known.next_ms = Some(next_ms));
            let has_failed = walked == Walked::Failed;
            if !due(&self.taking.aws, self.source.every, has_failed, &stopped, note).await {
                return;
            }
        }
    }

    async fn walk(&mut self, target: &Target) -> Walked {
        let begun_ms = self.taking.now_ms();
        self.taking.note(|known| {
            known.begun_ms = Some(begun_ms);
            known.failures.clear();
        });
        let BucketSource { bucket, prefix, .. } = &self.source;
        let client = self.taking.aws.client.clone();
        let of = Bucket::new(client, target.clone(), bucket.clone(), prefix.clone());
        let (walked, failed) = match of.walk(&self.remembered, KEYS_MAX).await {
            Ok(walk) => {
                let failed = self.read(target, walk.waiting).await;
                let walked = match failed {
                    0 if walk.more => Walked::More,
                    0 => Walked::Whole,
                    _ => Walked::Failed,
                };
                (walked, failed)
            }
            Err(error) => {
                self.taking.fail(&error.to_string());
                (Walked::Failed, 1)
            }
        };
        let ended_ms = self.taking.now_ms();
        self.taking.note(|known| {
            known.ended_ms = Some(ended_ms);
            known.took_ms = ended_ms.saturating_sub(begun_ms);
            known.gaps = failed;
            if walked == Walked::Whole {
                known.whole_ms = Some(begun_ms);
            }
        });
        walked
    }

    /// Reads objects; answers how many could not be.
    async fn read(&mut self, target: &Target, waiting: Vec<Waiting>) -> u64 {
        let mut failed = 0;
        for one in waiting {
            let bucket = self.source.bucket.clone();
            let object = Object { bucket, key: one.key.clone(), version: None };
            match self.taking.take_object(target, &object).await {
                // What it is not it will not be with the same content.
                Became::Held | Became::Unreadable => self.remembered.add(&one),
                Became::Failed => failed += 1,
            }
        }
        failed
    }
}
