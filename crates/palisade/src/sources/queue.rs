//! A queue: what each message tells is taken in, and only then the message is ended.

use std::time::Duration;

use palisade_aws::Target;
use palisade_sources::message::Told;
use palisade_sources::queue::{Message, Queue};
use palisade_sources::settings::QueueSource;
use tokio::sync::watch;

use super::taking::{Became, Taking};
use crate::stop::until;

/// How often a message is tried before it is set aside.
pub const RECEIVED_MAX: u32 = 5;

/// How long a queue that cannot be asked is left alone.
const PAUSE: Duration = Duration::from_secs(15);

/// Reads a queue.
pub struct Reader {
    taking: Taking,
    source: QueueSource,
}

impl Reader {
    /// Of these settings.
    pub fn new(taking: Taking, source: QueueSource) -> Reader {
        Reader { taking, source }
    }

    /// Reads it until the server stops.
    pub async fn read_on(self, stopped: watch::Receiver<bool>) {
        let target = match self.taking.target(&self.source.access, &self.source.region) {
            Ok(target) => target,
            Err(failure) => return self.taking.fail(&failure.to_string()),
        };
        let queue =
            Queue::new(self.taking.aws.client.clone(), target.clone(), self.source.queue.clone());
        while !*stopped.borrow() {
            // A message that was begun is brought to its end: half done it would only come again.
            let received = tokio::select! {
                received = queue.receive() => received,
                () = until(stopped.clone()) => return,
            };
            let begun_ms = self.taking.now_ms();
            self.taking.note(|known| known.begun_ms = Some(begun_ms));
            match received {
                Ok(messages) => self.take_all(&queue, &target, &messages, begun_ms).await,
                Err(error) => {
                    self.taking.fail(&error.to_string());
                    tokio::select! {
                        () = tokio::time::sleep(PAUSE) => {}
                        () = until(stopped.clone()) => return,
                    }
                }
            }
        }
    }

    async fn take_all(&self, queue: &Queue, target: &Target, messages: &[Message], begun_ms: i64) {
        let mut failed = 0;
        for message in messages {
            failed += u64::from(!self.take(queue, target, message).await);
        }
        let backlog = queue.backlog().await;
        let ended_ms = self.taking.now_ms();
        self.taking.note(|known| {
            known.ended_ms = Some(ended_ms);
            known.took_ms = ended_ms.saturating_sub(begun_ms);
            known.gaps = failed;
            if let Ok(backlog) = backlog {
                known.backlog = Some(backlog.waiting);
                if backlog.waiting == 0 && failed == 0 {
                    known.whole_ms = Some(begun_ms);
                    known.failures.clear();
                }
            }
        });
    }

    /// Takes in what a message tells, and ends it; whether it is ended.
    async fn take(&self, queue: &Queue, target: &Target, message: &Message) -> bool {
        let became = self.became(target, message).await;
        let is_over = message.received >= RECEIVED_MAX;
        let is_done = match became {
            Became::Held => true,
            Became::Unreadable => {
                self.taking.set_aside(&message.id, &message.body, "it cannot be read")
            }
            Became::Failed if is_over => {
                let why = format!("it failed {} times", message.received);
                self.lose(message, &why).await
                    && self.taking.set_aside(&message.id, &message.body, &why)
            }
            Became::Failed => false,
        };
        if !is_done {
            return false;
        }
        match queue.end(message).await {
            Ok(()) => true,
            // It comes again, and changes nothing then.
            Err(error) => {
                self.taking.fail(&error.to_string());
                false
            }
        }
    }

    async fn became(&self, target: &Target, message: &Message) -> Became {
        let told = Told::of(&message.body);
        let mut worst = Became::Held;
        for object in &told.objects {
            match self.taking.take_object(target, object).await {
                Became::Held => {}
                Became::Unreadable if worst == Became::Failed => {}
                other => worst = other,
            }
        }
        if told.is_delivery {
            let name = format!("message {}", message.id);
            match self.taking.take(&name, message.body.clone().into_bytes()).await {
                Became::Held => {}
                Became::Unreadable if worst == Became::Failed => {}
                other => worst = other,
            }
        }
        worst
    }

    /// What a message told is given up: a gap for each object whose key tells whose it is.
    async fn lose(&self, message: &Message, why: &str) -> bool {
        for object in Told::of(&message.body).objects {
            if self.taking.lose(&object.key, why).await == Became::Failed {
                return false;
            }
        }
        true
    }
}
