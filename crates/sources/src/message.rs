//! What a message of a queue tells: items of AWS Config themselves, or objects in a bucket that hold some. It may come
//! directly, through SNS or through EventBridge.

use serde_json::Value;

/// Messages in each other that are opened: SNS around EventBridge is two.
pub const LAYERS_MAX: u32 = 4;

/// An object in a bucket.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Object {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// The version, in a bucket that keeps them.
    pub version: Option<String>,
}

/// What a message tells.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Told {
    /// Objects to be read.
    pub objects: Vec<Object>,
    /// Whether it is to be taken in as a delivery itself.
    pub is_delivery: bool,
}

impl Told {
    /// What a message's body tells. One that is not understood is taken for a delivery: whoever reads deliveries says
    /// what is wrong with it.
    pub fn of(body: &str) -> Told {
        open(body, 1).unwrap_or(Told { is_delivery: true, ..Told::default() })
    }

    fn objects(objects: Vec<Object>) -> Told {
        Told { objects, is_delivery: false }
    }
}

/// `None`: it is to be taken in as it is.
fn open(body: &str, layer: u32) -> Option<Told> {
    if layer > LAYERS_MAX {
        return None;
    }
    let message: Value = serde_json::from_str(body).ok()?;
    let text = |name: &str| message.get(name).and_then(Value::as_str);
    if text("Event") == Some("s3:TestEvent") {
        return Some(Told::default());
    }
    if let Some(inside) = text("Message").filter(|_| message.get("TopicArn").is_some()) {
        return open(inside, layer.saturating_add(1));
    }
    if let Some(records) = message.get("Records").and_then(Value::as_array)
        && records.iter().any(|record| record.get("s3").is_some())
    {
        return records
            .iter()
            .map(created)
            .collect::<Option<Vec<_>>>()
            .map(|found| Told::objects(found.into_iter().flatten().collect()));
    }
    let detail = message.get("detail").unwrap_or(&Value::Null);
    match text("detail-type") {
        Some("Object Created") => of_bridge(detail).map(|object| Told::objects(vec![object])),
        // Of an object that went nothing is to be read.
        Some(other) if other.starts_with("Object ") => Some(Told::default()),
        _ => of_config(&message).or_else(|| of_config(detail)),
    }
}

/// The object of a record, if it was made; the outer `None`: the record tells none.
fn created(record: &Value) -> Option<Option<Object>> {
    let event = record.get("eventName").and_then(Value::as_str)?;
    if !event.trim_start_matches("s3:").starts_with("ObjectCreated:") {
        return Some(None);
    }
    let (bucket, object) = (record.pointer("/s3/bucket/name")?, record.pointer("/s3/object")?);
    Some(Some(Object {
        bucket: bucket.as_str()?.to_owned(),
        // S3 writes keys as in a form.
        key: decoded(object.get("key")?.as_str()?)?,
        version: object.get("versionId").and_then(Value::as_str).map(str::to_owned),
    }))
}

fn of_bridge(detail: &Value) -> Option<Object> {
    let object = detail.get("object")?;
    Some(Object {
        bucket: detail.pointer("/bucket/name")?.as_str()?.to_owned(),
        key: object.get("key")?.as_str()?.to_owned(),
        version: object.get("version-id").and_then(Value::as_str).map(str::to_owned),
    })
}

/// AWS Config's own messages: that a file was delivered, or that an item is too large for the message and lies in the
/// bucket, beside its summary.
fn of_config(message: &Value) -> Option<Told> {
    let of_member = |name: &str| message.get(name).and_then(Value::as_str).map(str::to_owned);
    match message.get("messageType").and_then(Value::as_str)? {
        "ConfigurationSnapshotDeliveryCompleted" | "ConfigurationHistoryDeliveryCompleted" => {
            let (bucket, key) = (of_member("s3Bucket")?, of_member("s3ObjectKey")?);
            Some(Told::objects(vec![Object { bucket, key, version: None }]))
        }
        "OversizedConfigurationItemChangeNotification" => {
            let place = message.pointer("/s3DeliverySummary/s3BucketLocation")?.as_str()?;
            let (bucket, key) = place.split_once('/')?;
            let object = Object { bucket: bucket.to_owned(), key: key.to_owned(), version: None };
            Some(Told { objects: vec![object], is_delivery: true })
        }
        _ => None,
    }
}

/// A key as a form writes it.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(told: &Told) -> String {
        let one = |object: &Object| {
            let version = object.version.as_deref().map(|version| format!("@{version}"));
            format!("{}/{}{}", object.bucket, object.key, version.unwrap_or_default())
        };
        let mut all: Vec<String> = told.objects.iter().map(one).collect();
        all.extend(told.is_delivery.then(|| "delivery".to_owned()));
        all.join(" ")
    }

    #[test]
    fn a_message_tells_objects_or_is_a_delivery() {
        let made = |event: &str| {
            json!({"Records": [{
                "eventName": event,
                "s3": {"bucket": {"name": "b"}, "object": {"key": "a%2Fb+c%C3%A9.json.gz", "versionId": "v"}},
            }]})
        };
        let bridge = |kind: &str| {
            json!({"detail-type": kind, "source": "aws.s3", "detail": {
                "bucket": {"name": "b"}, "object": {"key": "a%2Fb c", "version-id": "w"},
            }})
        };
        let sns = |inside: &Value| json!({"Type": "Notification", "TopicArn": "arn:aws:sns:r:1:t", "Message": inside.to_string()});
        let completed = json!({
            "messageType": "ConfigurationHistoryDeliveryCompleted", "s3Bucket": "b", "s3ObjectKey": "k",
        });
        let oversized = json!({
            "messageType": "OversizedConfigurationItemChangeNotification",
            "s3DeliverySummary": {"s3BucketLocation": "b/k/l.json.gz"},
        });
        let change =
            json!({"messageType": "ConfigurationItemChangeNotification", "configurationItem": {}});
        let created = "b/a/b cé.json.gz@v";
        for (message, wanted) in [
            (made("ObjectCreated:Put"), created),
            (made("s3:ObjectCreated:CompleteMultipartUpload"), created),
            (made("ObjectRemoved:Delete"), ""),
            (sns(&made("ObjectCreated:Put")), created),
            (bridge("Object Created"), "b/a%2Fb c@w"),
            (bridge("Object Deleted"), ""),
            (sns(&bridge("Object Created")), "b/a%2Fb c@w"),
            (json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}), ""),
            (completed.clone(), "b/k"),
            (sns(&completed), "b/k"),
            (
                json!({"detail-type": "Config Configuration History Delivery Status", "detail": completed}),
                "b/k",
            ),
            (oversized.clone(), "b/k/l.json.gz delivery"),
            (change.clone(), "delivery"),
            (sns(&change), "delivery"),
            (
                json!({"detail-type": "Config Configuration Item Change", "detail": change}),
                "delivery",
            ),
            (json!({"Records": [{"eventName": "ObjectCreated:Put", "s3": {}}]}), "delivery"),
            (json!({"x": 1}), "delivery"),
        ] {
            assert_eq!(shown(&Told::of(&message.to_string())), wanted, "{message}");
        }
        assert_eq!(shown(&Told::of("prose")), "delivery");
    }

    #[test]
    fn layers_are_opened_up_to_a_limit() {
        let wrapped = |times: u32| {
            let event = json!({"Event": "s3:TestEvent"});
            (0..times)
                .fold(event, |inside, _| json!({"TopicArn": "t", "Message": inside.to_string()}))
        };
        assert!(!Told::of(&wrapped(LAYERS_MAX - 1).to_string()).is_delivery);
        assert!(Told::of(&wrapped(LAYERS_MAX).to_string()).is_delivery);
    }

    #[test]
    fn a_key_that_is_not_encoded_as_promised_is_not_guessed() {
        for (text, key) in
            [("a", Some("a")), ("%41+", Some("A ")), ("%4", None), ("%zz", None), ("%ff", None)]
        {
            assert_eq!(decoded(text).as_deref(), key, "{text}");
        }
    }
}
