//! A queue of messages: received, and ended once what they tell is held.

use palisade_aws::{CallError, Client, Target, calls};
use serde_json::{Map, Value, json};

use crate::item::{maybe, text};

/// Messages that one call receives: as many as SQS gives.
pub const MESSAGES_AT_ONCE: u32 = 10;

/// How long a call waits for the first message, in seconds: as long as SQS lets it.
const WAIT_SECS: u32 = 20;

/// How long a message is hidden from others while it is worked on, in seconds.
const HIDDEN_SECS: u32 = 600;

/// A message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// What ends it.
    handle: String,
    /// Its text.
    pub body: String,
    /// How often it was received, this time included.
    pub received: u32,
}

/// A queue.
#[derive(Clone, Debug)]
pub struct Queue {
    client: Client,
    target: Target,
    url: String,
}

/// What waits in a queue.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Backlog {
    /// Messages that nobody received.
    pub waiting: u64,
    /// Messages that somebody works on.
    pub hidden: u64,
}

impl Queue {
    /// A queue of this URL.
    pub fn new(client: Client, target: Target, url: String) -> Queue {
        Queue { client, target, url }
    }

    /// Waits for messages, up to 20 seconds.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn receive(&self) -> Result<Vec<Message>, CallError> {
        let call = &calls::RECEIVE_MESSAGE;
        let parameters = json!({
            "QueueUrl": self.url,
            "MaxNumberOfMessages": MESSAGES_AT_ONCE,
            "WaitTimeSeconds": WAIT_SECS,
            "VisibilityTimeout": HIDDEN_SECS,
            "AttributeNames": ["ApproximateReceiveCount"],
        });
        let answer = self.client.call(&self.target, call, &members(parameters)).await?;
        let messages = answer.get("Messages").and_then(Value::as_array);
        Ok(messages.into_iter().flatten().filter_map(message).collect())
    }

    /// Ends a message: what it tells is held.
    ///
    /// # Errors
    /// When the call fails; the message comes again then.
    pub async fn end(&self, message: &Message) -> Result<(), CallError> {
        let parameters = members(json!({"QueueUrl": self.url, "ReceiptHandle": message.handle}));
        let call = self.client.call(&self.target, &calls::DELETE_MESSAGE, &parameters);
        call.await.map(drop)
    }

    /// What waits.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn backlog(&self) -> Result<Backlog, CallError> {
        const NAMES: [&str; 2] =
            ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
        let parameters = json!({"QueueUrl": self.url, "AttributeNames": NAMES});
        let call = &calls::GET_QUEUE_ATTRIBUTES;
        let answer = self.client.call(&self.target, call, &members(parameters)).await?;
        let number = |name: &str| {
            let text = answer.get("Attributes").and_then(|all| all.get(name));
            text.and_then(Value::as_str).and_then(|text| text.parse().ok()).unwrap_or_default()
        };
        let [waiting, hidden] = NAMES.map(number);
        Ok(Backlog { waiting, hidden })
    }
}

/// A message with all that is needed of it; what has no handle cannot be ended, and comes again.
fn message(told: &Value) -> Option<Message> {
    let received = told.pointer("/Attributes/ApproximateReceiveCount");
    let received = received.and_then(Value::as_str).and_then(|count| count.parse().ok());
    Some(Message {
        id: maybe(told, "MessageId").unwrap_or_default(),
        handle: text(told, "ReceiptHandle").ok()?,
        body: told.get("Body")?.as_str()?.to_owned(),
        received: received.unwrap_or(1),
    })
}

/// The Region in a queue's URL: `https://sqs.eu-west-1.amazonaws.com/…`.
pub fn region_of(url: &str) -> Option<&str> {
    let host = url.split("://").nth(1)?.split('/').next()?;
    let region = host.strip_prefix("sqs.")?.split('.').next()?;
    region.contains('-').then_some(region)
}

fn members(parameters: Value) -> Map<String, Value> {
    match parameters {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_tells_the_region() {
        for (url, region) in [
            ("https://sqs.eu-west-1.amazonaws.com/111122223333/changes", Some("eu-west-1")),
            ("https://sqs.cn-north-1.amazonaws.com.cn/1/q.fifo", Some("cn-north-1")),
            ("http://localhost:5000/123456789012/q", None),
            ("sqs", None),
        ] {
            assert_eq!(region_of(url), region, "{url}");
        }
    }

    #[test]
    fn a_message_that_cannot_be_ended_is_none() {
        let told = |value: Value| message(&value).map(|message| message.received);
        assert_eq!(told(json!({"ReceiptHandle": "h", "Body": "b"})), Some(1));
        let again = json!({"ReceiptHandle": "h", "Body": "b", "Attributes": {"ApproximateReceiveCount": "7"}});
        assert_eq!(told(again), Some(7));
        assert_eq!(told(json!({"Body": "b"})), None);
        assert_eq!(told(json!({"ReceiptHandle": "h"})), None);
    }
}
