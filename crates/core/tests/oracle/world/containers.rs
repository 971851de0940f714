//! The same items in other containers and dialects (formats §1, §2, §6, §7).

use serde_json::{Map, Value, json};

use crate::boundary::body_of;
use crate::random::Random;

/// What a query selects of a row beside its key.
pub const SELECTED: [&str; 4] =
    ["tags", "relationships", "supplementaryConfiguration", "configuration"];

/// A row of an advanced query's answer, with what was selected of it.
pub fn row(item: &Value, selected: &[&str], random: &mut Random) -> Value {
    let mut row = json!({
        "resourceId": item["resourceId"], "resourceType": item["resourceType"],
        "accountId": item["awsAccountId"], "awsRegion": item["awsRegion"],
        "configurationItemCaptureTime": item["configurationItemCaptureTime"],
        "configurationItemStatus": item["configurationItemStatus"],
    });
    if random.chance(30) {
        row["configurationStateId"] = json!(item["configurationStateId"].to_string());
    }
    for member in selected {
        if item[*member].is_null() {
            continue;
        }
        row[*member] = match *member {
            "tags" => pairs(&item["tags"]),
            "configuration" => floating(&body_of(item)),
            member => item[member].clone(),
        };
    }
    row
}

fn pairs(tags: &Value) -> Value {
    let pairs = tags.as_object().into_iter().flatten().map(|(key, value)| {
        let tag = format!("{key}={}", value.as_str().unwrap_or_default());
        json!({"key": key, "value": value, "tag": tag})
    });
    pairs.collect()
}

/// Numbers come as floats, and lists of texts wrapped.
fn floating(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(elements) => elements.iter().map(floating).collect(),
        Value::Object(map) => {
            let inner = |(key, value): (&String, &Value)| {
                let texts = value.as_array().filter(|list| list.iter().all(Value::is_string));
                let value = match texts {
                    Some(texts) if key == "securityGroups" => {
                        texts.iter().map(|text| json!({"value": text})).collect()
                    }
                    _ => floating(value),
                };
                (key.clone(), value)
            };
            Value::Object(map.iter().map(inner).collect::<Map<String, Value>>())
        }
        _ => value.clone(),
    }
}

/// A page of an advanced query's answer.
pub fn page(rows: &[Value], selected: &[&str], token: Option<&str>) -> Value {
    let results: Vec<Value> = rows.iter().map(|row| json!(row.to_string())).collect();
    let fields: Vec<Value> = selected.iter().map(|name| json!({"Name": name})).collect();
    let mut page = json!({"Results": results, "QueryInfo": {"SelectFields": fields}});
    if let Some(token) = token {
        page["NextToken"] = json!(token);
    }
    page
}

/// An item in the words of the API, which writes bodies as text.
pub fn in_api_words(item: &Value) -> Value {
    let mut api = item.clone();
    let members = api.as_object_mut().expect("an item is an object");
    for (delivery, api) in [
        ("awsAccountId", "accountId"),
        ("configurationItemVersion", "version"),
        ("configurationStateMd5Hash", "configurationItemMD5Hash"),
    ] {
        if let Some(value) = members.remove(delivery) {
            members.insert(api.to_owned(), value);
        }
    }
    if let Some(state) = members.get("configurationStateId").filter(|s| s.is_number()).cloned() {
        members.insert("configurationStateId".to_owned(), json!(state.to_string()));
    }
    if members.get("configuration").is_some_and(Value::is_object) {
        let text = members["configuration"].to_string();
        members.insert("configuration".to_owned(), json!(text));
    }
    if let Some(Value::Object(more)) = members.get_mut("supplementaryConfiguration") {
        for value in more.values_mut() {
            *value = json!(value.to_string());
        }
    }
    for relation in
        members.get_mut("relationships").and_then(Value::as_array_mut).into_iter().flatten()
    {
        let name = relation["name"].take();
        relation["relationshipName"] = name;
        relation.as_object_mut().expect("a relation is an object").remove("name");
    }
    api
}

/// The same as BatchGetResourceConfig tells it: neither tags nor relationships.
pub fn base(item: &Value) -> Value {
    let mut base = in_api_words(item);
    let members = base.as_object_mut().expect("an item is an object");
    for untold in ["tags", "relationships", "relatedEvents"] {
        members.remove(untold);
    }
    base
}

/// One item by itself: a notification in any of its envelopes, a bare item, lines, a list.
pub fn single(item: &Value, random: &mut Random) -> Value {
    let notification = json!({
        "configurationItemDiff": null, "configurationItem": item,
        "notificationCreationTime": "2026-02-03T04:06:00.000Z",
        "messageType": "ConfigurationItemChangeNotification", "recordVersion": "1.3",
    });
    let sns = |inner: &Value| {
        json!({"Type": "Notification", "MessageId": "11111111-0000-4000-8000-000000000000",
            "TopicArn": "arn:aws:sns:eu-west-1:111111111111:config", "Message": inner.to_string()})
    };
    match random.below(8) {
        0 => item.clone(),
        1 => json!([item]),
        2 => json!(format!("{item}\n")),
        3 => sns(&notification),
        4 => json!([{"Body": sns(&notification).to_string()}]),
        5 => json!({"version": "0", "detail-type": "Config Configuration Item Change",
            "source": "aws.config", "account": item["awsAccountId"], "region": "eu-west-1",
            "detail": notification}),
        // What nobody recorded has no older states.
        6 if item["configurationItemStatus"] == "ResourceNotRecorded" => {
            json!({"configurationItems": [in_api_words(item)]})
        }
        6 => json!({"configurationItems": [in_api_words(item)], "nextToken": "older"}),
        _ => notification,
    }
}

/// A change that was too large: what is told of it is that it happened.
pub fn oversized(item: &Value) -> Value {
    let mut summary = item.clone();
    let members = summary.as_object_mut().expect("an item is an object");
    for untold in
        ["configuration", "supplementaryConfiguration", "tags", "relationships", "relatedEvents"]
    {
        members.remove(untold);
    }
    members.insert("changeType".to_owned(), json!("UPDATE"));
    json!({"configurationItemSummary": summary, "recordVersion": "1.3",
        "messageType": "OversizedConfigurationItemChangeNotification",
        "s3DeliverySummary": {"s3BucketLocation": "bucket/key", "errorCode": null, "errorMessage": null}})
}
