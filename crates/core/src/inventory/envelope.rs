//! Opens the layers around an item in messages (formats §6): queue record, SNS message,
//! EventBridge event, rule event, recorded API response, in any nesting and each as an object or as
//! text that holds JSON.

use serde_json::value::RawValue;

use super::read::shape::{Many, Text, shape};
use super::read::{Embedded, Form, embedded, parse};
use super::split::DEPTH_MAX;

/// Layers of text in text: a queue record of an SNS message of an event is three.
pub(super) const LAYERS_MAX: u32 = 8;

shape! {
    Envelope {
        item: &'a RawValue = "configurationItem",
        summary: &'a RawValue = "configurationItemSummary",
        items: Many<&'a RawValue> = "configurationItems" | "baseConfigurationItems",
        rows: Many<&'a RawValue> = "Results",
        records: Many<&'a RawValue> = "Records" | "Messages",
        message: &'a RawValue = "Message",
        inside: &'a RawValue = "Body" | "invokingEvent" | "detail",
        data: &'a RawValue = "data",
        message_type: Text<'a> = "messageType",
        kind: Text<'a> = "Type",
        resource_type: &'a RawValue = "resourceType",
        resource_id: &'a RawValue = "resourceId",
        configuration: &'a RawValue = "configuration",
    }
}

/// What was found in an envelope.
pub(super) enum Found<'a> {
    /// The raw text of an item.
    Item(Form, &'a str),
    /// A message without an item.
    Ignored,
    /// A list of items without any.
    EmptyList,
    /// An object that is neither an item nor a message we know.
    Stranger,
    /// A message that cannot be opened.
    Broken(String),
}

/// What receives what is found.
pub(super) type Finder<'f> = &'f mut dyn FnMut(Found<'_>);

/// Opens one record: a bare item, or an envelope of any kind.
pub(super) fn open(text: &str, layer: u32, found: Finder<'_>) {
    if layer > LAYERS_MAX {
        return found(Found::Broken(format!("more than {LAYERS_MAX} envelopes in each other")));
    }
    let text = text.trim();
    if text.starts_with('[') {
        return match parse::<Many<&RawValue>>("message", text) {
            Ok(records) => records.0.iter().for_each(|raw| open(raw.get(), layer + 1, found)),
            Err(reason) => found(Found::Broken(reason)),
        };
    }
    if !text.starts_with('{') {
        return found(Found::Broken("a message is neither an object nor a list".to_owned()));
    }
    match parse::<Envelope<'_>>("message", text) {
        Ok(envelope) => open_object(text, envelope, layer, found),
        Err(reason) => found(Found::Broken(reason)),
    }
}

fn open_object(text: &str, envelope: Envelope<'_>, layer: u32, found: Finder<'_>) {
    let nested = layer + 1;
    if let Some(item) = envelope.item {
        found(Found::Item(Form::Whole, item.get()));
    } else if let Some(summary) = envelope.summary {
        found(Found::Item(Form::Summary, summary.get()));
    } else if let Some(items) = envelope.items {
        if items.0.is_empty() {
            found(Found::EmptyList);
        }
        items.0.iter().for_each(|item| found(Found::Item(Form::Whole, item.get())));
    } else if let Some(rows) = envelope.rows {
        if rows.0.is_empty() {
            found(Found::EmptyList);
        }
        rows.0.iter().for_each(|row| open_row(row.get(), found));
    } else if envelope.message_type.is_some() {
        // Before the next: a change of compliance names a resource and is no item.
        found(Found::Ignored);
    } else if envelope.resource_type.is_some_and(names_a_type)
        && (envelope.resource_id.is_some() || envelope.configuration.is_some())
    {
        found(Found::Item(Form::Whole, text));
    } else if let Some(records) = envelope.records {
        records.0.iter().for_each(|raw| open_message(raw, nested, found));
    } else if let Some(data) = envelope.data.filter(|data| data.get().starts_with('{')) {
        open(data.get(), nested, found);
    } else if is_handshake(&envelope) {
        found(Found::Ignored);
    } else if is_error(&envelope) {
        found(Found::Stranger);
    } else if let Some(inside) = envelope.message.or(envelope.inside) {
        open_message(inside, nested, found);
    } else {
        found(Found::Stranger);
    }
}

/// Published lists of a type's properties have an item's members, each `"string"`, and are none.
fn names_a_type(resource_type: &RawValue) -> bool {
    resource_type.get().contains("::")
}

/// SNS's own messages about subscriptions carry prose.
fn is_handshake(envelope: &Envelope<'_>) -> bool {
    let kind = envelope.kind.as_ref().map_or("", Text::as_str);
    matches!(kind, "SubscriptionConfirmation" | "UnsubscribeConfirmation")
}

/// A service's error has a `Message` of prose and no `Type`.
fn is_error(envelope: &Envelope<'_>) -> bool {
    let prose = envelope.message.is_some_and(|message| !message.get().contains('{'));
    prose && envelope.kind.is_none() && envelope.inside.is_none()
}

/// Opens the inside of an envelope: what is no item there is some other service's message.
fn open_message(raw: &RawValue, layer: u32, found: Finder<'_>) {
    let mut known = |inner: Found<'_>| match inner {
        Found::Stranger => found(Found::Ignored),
        other => found(other),
    };
    match embedded("message", raw.get()) {
        Ok(None) => known(Found::Ignored),
        Ok(Some(Embedded::Value(object))) => open(object, layer, &mut known),
        Ok(Some(Embedded::Text(text))) => match json_of(&text) {
            Ok(json) => open(json, layer, &mut known),
            Err(reason) => known(Found::Broken(reason)),
        },
        Err(reason) => known(Found::Broken(reason)),
    }
}

/// The JSON in a message's text. E-mails put prose around it; without prose before it, what follows
/// it is an error (formats §10 row 15).
fn json_of(text: &str) -> Result<&str, String> {
    check_depth(text)?;
    if text.starts_with(['{', '[']) {
        return Ok(text);
    }
    let json = text.find('{').and_then(|at| text.get(at..));
    let json = json.ok_or("the message is text without JSON")?;
    let first = serde_json::Deserializer::from_str(json).into_iter::<&RawValue>().next();
    match first {
        Some(Ok(value)) => Ok(value.get()),
        _ => Err("the message is text without valid JSON".to_owned()),
    }
}

/// The nesting of a text that was a string for the splitter.
pub(super) fn check_depth(text: &str) -> Result<(), String> {
    let (mut depth, mut in_text, mut escaped) = (0_u32, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return Err(super::delivery::too_deep());
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// A row of a query result: text that holds an object, or the object itself.
pub(super) fn open_row(raw: &str, found: Finder<'_>) {
    let parsed = parse::<&RawValue>("row", raw);
    match parsed.and_then(|raw| embedded("row", raw.get())) {
        Ok(Some(Embedded::Text(row))) => match check_depth(&row) {
            Ok(()) => found(Found::Item(Form::Whole, &row)),
            Err(reason) => found(Found::Broken(reason)),
        },
        Ok(Some(Embedded::Value(row))) => found(Found::Item(Form::Whole, row)),
        Ok(None) => found(Found::Broken("an empty row".to_owned())),
        Err(reason) => found(Found::Broken(reason)),
    }
}
