//! Opens the layers around an item in messages (formats §6): queue record, SNS message,
//! EventBridge event, rule event, recorded API response, in any nesting and each as an object or as
//! text that holds JSON.

use serde_json::value::RawValue;

use crate::ident::{AccountId, Region, ResourceType};

use super::collection::Collection;
use super::foreign;
use super::limits::{DEPTH_MAX, too_deep};
use super::missed::{Contents, Listing, region_told, type_told};
use super::read::shape::{IdText, Many, Present, TWICE, Text, shape};
use super::read::{Embedded, Form, embedded, parse};

/// Layers of text in text: a queue record of an SNS message of an event is three.
pub(super) const LAYERS_MAX: u32 = 8;

shape! {
    noted Envelope {
        item: &'a RawValue = "configurationItem",
        summary: &'a RawValue = "configurationItemSummary",
        items: Vec<&'a RawValue> = "configurationItems" | "baseConfigurationItems",
        rows: Vec<&'a RawValue> = "Results",
        records: Vec<&'a RawValue> = "Records" | "Messages",
        message: &'a RawValue = "Message",
        inside: &'a RawValue = "Body" | "invokingEvent" | "Sns",
        detail: &'a RawValue = "detail",
        listed: &'a RawValue = "resourceIdentifiers",
        token: &'a RawValue = "nextToken",
        snapshot: &'a RawValue = "configSnapshotId",
        topic: &'a RawValue = "TopicArn",
        region: &'a RawValue = "region",
        data: &'a RawValue = "data",
        message_type: Text<'a> = "messageType",
        queued: Present = "receiptHandle",
        judged: Present = "resultToken",
        event: Text<'a> = "detail-type",
        source: Text<'a> = "source",
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
    /// A record of another service.
    Foreign,
    /// A message that cannot be opened: why, and its text.
    Broken(String, &'a str),
    /// What is found next was told by the recorder of this Region, up to the [`Found::FromEnds`] that
    /// belongs to it.
    From(Region),
    /// See [`Found::From`].
    FromEnds,
    /// An answer of an API ended, or an object that may be one.
    Answer(Series, Answer),
}

/// What an answer of an API says of its being whole.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Answer {
    /// What a query selects, as its answer tells.
    pub query: Box<str>,
    /// It goes on.
    pub goes_on: bool,
    /// Resources that it names and leaves out.
    pub left_out: Vec<LeftOut>,
    /// Of a list of ids: whose and which they are.
    pub listed: Contents,
    /// What a collector says of its listings, or why that cannot be read.
    pub collection: Option<Result<Collection, String>>,
}

/// Which answers are pages of one.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Series {
    /// Of configuration items: the history of one resource, or a listing of several.
    Items,
    /// Of the items of a snapshot or a batch.
    Snapshot,
    /// Of the rows of a query; what it selects.
    Rows(Box<str>),
    /// Of the ids of resources.
    Ids,
}

impl Series {
    /// Whether answers that it names are pages of one: without what a query selects, or of ids, of
    /// which the last page is none to us, nothing tells that.
    pub fn is_told(&self) -> bool {
        match self {
            Series::Items | Series::Snapshot => true,
            Series::Rows(query) => !query.is_empty(),
            Series::Ids => false,
        }
    }

    /// What it lists.
    pub fn listing(&self) -> Listing {
        match self {
            Series::Items | Series::Snapshot => Listing::Items,
            Series::Rows(_) => Listing::Rows,
            Series::Ids => Listing::Ids,
        }
    }
}

/// A resource that was left out: whose, where and of which type, as far as that is told.
pub(super) type LeftOut = (Option<AccountId>, Option<Region>, Option<ResourceType>);

shape! {
    /// The members around a list that tell whether it is whole.
    noted Around {
        token: &'a RawValue = "nextToken",
        left_out: &'a RawValue = "unprocessedResourceKeys" | "UnprocessedResourceIdentifiers",
        query: &'a RawValue = "QueryInfo",
        collection: &'a RawValue = "palisadeCollection",
    }
}

shape! {
    noted ResourceKey {
        account: IdText<'a> = "SourceAccountId" | "accountId" | "awsAccountId",
        region: IdText<'a> = "SourceRegion" | "awsRegion",
        resource_type: Text<'a> = "resourceType",
    }
}

impl Answer {
    /// Adds members around its lists.
    pub fn add(&mut self, members: &str) -> Result<(), String> {
        let Around { token, left_out, query, collection, twice, .. } = parse("answer", members)?;
        // One of them hides the other (semantics §11 row 69).
        if twice || query.is_some() && !self.query.is_empty() {
            return Err(format!("a member around a list {TWICE}"));
        }
        self.goes_on |= token.is_some_and(is_token);
        self.left_out.extend(left_out.into_iter().flat_map(left_out_of));
        if let Some(query) = query {
            self.query = without_blanks(query.get());
        }
        if let Some(collection) = collection {
            let read = Collection::read(collection.get());
            let twice = || Err(format!("`palisadeCollection` {TWICE}"));
            self.collection = Some(if self.collection.is_some() { twice() } else { read });
        }
        Ok(())
    }
}

/// An empty token is none.
fn is_token(raw: &RawValue) -> bool {
    raw.get() != r#""""#
}

/// The text of a value, however it was laid out.
fn without_blanks(json: &str) -> Box<str> {
    json.chars().filter(|c| !c.is_ascii_whitespace()).collect()
}

/// Each resource of a list of keys; of a list in another form it is told only that there are some.
fn left_out_of(raw: &RawValue) -> Vec<LeftOut> {
    match parse::<Many<ResourceKey<'_>>>("resources", raw.get()) {
        Ok(keys) => keys.0.iter().map(left_out).collect(),
        Err(_) => vec![(None, None, None)],
    }
}

fn left_out(key: &ResourceKey<'_>) -> LeftOut {
    if key.twice {
        return (None, None, None);
    }
    let resource_type = key.resource_type.as_ref().and_then(|text| type_told(text.as_str()));
    let region = key.region.as_ref();
    let region = region.and_then(|text| region_told(text.as_str(), resource_type.as_ref()));
    let account = key.account.as_ref().and_then(|text| AccountId::try_from(text.as_str()).ok());
    (account, region, resource_type)
}

/// What receives what is found.
pub(super) type Finder<'f> = &'f mut dyn FnMut(Found<'_>);

/// Opens one record: a bare item, or an envelope of any kind.
pub(super) fn open(text: &str, layer: u32, found: Finder<'_>) {
    if layer > LAYERS_MAX {
        let reason = format!("more than {LAYERS_MAX} envelopes in each other");
        return found(Found::Broken(reason, text));
    }
    let text = text.trim();
    if text.starts_with('[') {
        return match parse::<Vec<&RawValue>>("message", text) {
            Ok(records) => records.iter().for_each(|raw| open(raw.get(), layer + 1, found)),
            Err(reason) => found(Found::Broken(reason, text)),
        };
    }
    // A list of the texts of rows, without what was around it.
    if text.starts_with("\"{") {
        return open_row(text, found);
    }
    if !text.starts_with('{') {
        let reason = "a message is neither an object nor a list".to_owned();
        return found(Found::Broken(reason, text));
    }
    match parse::<Envelope<'_>>("message", text) {
        Ok(envelope) => open_object(text, envelope, layer, found),
        Err(reason) => found(Found::Broken(reason, text)),
    }
}

fn open_object(text: &str, envelope: Envelope<'_>, layer: u32, found: Finder<'_>) {
    if envelope.twice {
        return open_doubtful(text, envelope, layer, found);
    }
    let told_by = told_by(&envelope);
    let is_told = told_by.is_some();
    told_by.into_iter().for_each(|region| found(Found::From(region)));
    open_inside(text, envelope, layer + 1, found);
    if is_told {
        found(Found::FromEnds);
    }
}

/// Opens an object in which a member stands twice: one hides the other, so that nothing in it is believed that
/// Config may have told (semantics §11 row 69). Of an item by itself that is for its own reader to say.
fn open_doubtful(text: &str, envelope: Envelope<'_>, layer: u32, found: Finder<'_>) {
    let (mut is_item, mut is_configs) = (false, foreign::mentions_items(text.as_bytes()));
    let mut other = None;
    open_inside(text, envelope, layer + 1, &mut |inner| match inner {
        Found::Item(_, item) if std::ptr::eq(item, text) => is_item = true,
        Found::Ignored => other = Some(Found::Ignored),
        Found::Stranger => other = Some(Found::Stranger),
        Found::Foreign => other = Some(Found::Foreign),
        _ => is_configs = true,
    });
    if is_item {
        found(Found::Item(Form::Whole, text));
    } else if is_configs {
        found(Found::Broken(format!("a member of a message {TWICE}"), text));
    } else {
        found(other.unwrap_or(Found::Stranger));
    }
}

fn open_inside(text: &str, envelope: Envelope<'_>, nested: u32, found: Finder<'_>) {
    if let Some(item) = envelope.item {
        found(Found::Item(Form::Whole, item.get()));
    } else if let Some(summary) = envelope.summary {
        found(Found::Item(Form::Summary, summary.get()));
    } else if let Some(items) = envelope.items {
        if items.is_empty() {
            found(Found::EmptyList);
        }
        items.iter().for_each(|item| found(Found::Item(Form::Whole, item.get())));
        let whole = envelope.snapshot.is_some();
        let series = if whole { Series::Snapshot } else { Series::Items };
        answered(|_| series, Answer::default(), text, found);
    } else if let Some(rows) = envelope.rows {
        if rows.is_empty() {
            found(Found::EmptyList);
        }
        rows.iter().for_each(|row| open_row(row.get(), found));
        let answer = Answer::default();
        answered(Series::Rows, answer, text, found);
    } else if let (Some(listed), Some(_)) = (envelope.listed, envelope.token) {
        // Of one that does not go on nothing could be taken in.
        found(Found::EmptyList);
        let mut answer = Answer::default();
        for (account, region, resource_type) in left_out_of(listed) {
            answer.listed.accounts.extend(account);
            answer.listed.regions.extend(region);
            answer.listed.types.extend(resource_type);
        }
        answered(|_| Series::Ids, answer, text, found);
    } else if lacks_its_item(&envelope) {
        found(Found::Broken("a notification of an item without it".to_owned(), text));
    } else if envelope.message_type.is_some() {
        // Before the next: a change of compliance names a resource and is no item.
        found(Found::Ignored);
    } else if envelope.resource_type.is_some_and(names_a_type)
        && (envelope.resource_id.is_some() || envelope.configuration.is_some())
    {
        found(Found::Item(Form::Whole, text));
    } else if let Some(records) = envelope.records {
        records.iter().for_each(|raw| open_message(raw, nested, found));
    } else if let Some(data) = envelope.data.filter(|data| data.get().starts_with('{')) {
        open(data.get(), nested, found);
    } else if is_handshake(&envelope) {
        found(Found::Ignored);
    } else if is_error(&envelope) {
        found(Found::Stranger);
    } else if let Some(inside) = envelope.message.or(envelope.inside).or(envelope.detail) {
        let is_named = envelope.detail.is_none()
            || envelope.event.is_some()
            || envelope.source.as_ref().is_some_and(|source| source.as_str() != "aws.config");
        match is_of_an_item(&envelope) {
            true => open_with_item(inside, text, nested, found),
            false if is_named => open_message(inside, nested, found),
            // Of an event that does not say what it is nobody knows that it is another service's.
            false => open_inner(inside, nested, found),
        }
    } else if lacks_its_message(&envelope) {
        found(Found::Broken("an empty message".to_owned(), text));
    } else if foreign::is_record(text) {
        found(Found::Foreign);
    } else {
        found(Found::Stranger);
    }
}

/// Hands out what an answer says of its being whole; `series` is made of what its query selects.
fn answered(
    series: impl FnOnce(Box<str>) -> Series,
    mut answer: Answer,
    text: &str,
    found: Finder<'_>,
) {
    match answer.add(text) {
        Ok(()) => found(Found::Answer(series(std::mem::take(&mut answer.query)), answer)),
        Err(reason) => found(Found::Broken(reason, text)),
    }
}

/// The Region of the recorder that told of a message: that of an event, or of the topic, which has to
/// be in the recorder's Region.
fn told_by(envelope: &Envelope<'_>) -> Option<Region> {
    let text = |raw: &RawValue| serde_json::from_str::<String>(raw.get()).ok();
    let of_topic = || {
        let arn = envelope.topic.and_then(text)?;
        arn.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(2).map(str::to_owned))
    };
    let region = envelope.region.and_then(text).or_else(of_topic)?;
    Region::named(&region).ok()
}

/// Published lists of a type's properties have an item's members, each `"string"`, and are none.
fn names_a_type(resource_type: &RawValue) -> bool {
    resource_type.get().contains("::")
}

/// Whether a notification is of a type that carries an item, or its summary, and has neither.
fn lacks_its_item(envelope: &Envelope<'_>) -> bool {
    const OF_ITEMS: [&str; 3] = [
        "ConfigurationItemChangeNotification",
        "OversizedConfigurationItemChangeNotification",
        "OversizedConfigurationItemChangeDeliveryFailed",
    ];
    let told = envelope.message_type.as_ref().map_or("", Text::as_str);
    OF_ITEMS.iter().any(|of_items| told.eq_ignore_ascii_case(of_items))
}

/// Whether a queue's record, an SNS message, an event of an item or one for a rule has nothing in it.
fn lacks_its_message(envelope: &Envelope<'_>) -> bool {
    envelope.queued.is_some() || kind(envelope) == "Notification" || is_of_an_item(envelope)
}

/// Whether it is an event of an item, or one for a rule: what is in it is Config's own.
fn is_of_an_item(envelope: &Envelope<'_>) -> bool {
    let event = envelope.event.as_ref().map_or("", Text::as_str);
    envelope.judged.is_some() || event.eq_ignore_ascii_case("Config Configuration Item Change")
}

/// Opens the inside of an envelope that is of an item. Something else in it stands for an item that is
/// not there.
fn open_with_item(raw: &RawValue, around: &str, layer: u32, found: Finder<'_>) {
    let mut is_strange = false;
    let mut inner = |inner: Found<'_>| match inner {
        Found::Stranger | Found::Foreign => is_strange = true,
        other => found(other),
    };
    open_inner(raw, layer, &mut inner);
    if is_strange {
        found(Found::Broken("an event of an item without it".to_owned(), around));
    }
}

/// What SNS says a message is.
fn kind<'e>(envelope: &'e Envelope<'_>) -> &'e str {
    envelope.kind.as_ref().map_or("", Text::as_str)
}

/// SNS's own messages about subscriptions carry prose.
fn is_handshake(envelope: &Envelope<'_>) -> bool {
    matches!(kind(envelope), "SubscriptionConfirmation" | "UnsubscribeConfirmation")
}

/// A service's error has a `Message` of prose and no `Type`.
fn is_error(envelope: &Envelope<'_>) -> bool {
    let prose = envelope.message.is_some_and(|message| !message.get().contains('{'));
    prose && envelope.kind.is_none() && envelope.inside.is_none() && envelope.detail.is_none()
}

/// Opens the inside of an envelope: what is no item there is some other service's message.
fn open_message(raw: &RawValue, layer: u32, found: Finder<'_>) {
    let mut known = |inner: Found<'_>| match inner {
        Found::Stranger | Found::Foreign => found(Found::Ignored),
        other => found(other),
    };
    open_inner(raw, layer, &mut known);
}

fn open_inner(raw: &RawValue, layer: u32, known: Finder<'_>) {
    match embedded("message", raw.get()) {
        Ok(None) => known(Found::Broken("an empty message".to_owned(), raw.get())),
        Ok(Some(Embedded::Value(object))) => open(object, layer, known),
        Ok(Some(Embedded::Text(text))) => match json_of(&text) {
            Ok(json) => open(json, layer, known),
            Err(reason) => known(Found::Broken(reason, &text)),
        },
        Err(reason) => known(Found::Broken(reason, raw.get())),
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
                    return Err(too_deep());
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
            Ok(()) => found(Found::Item(Form::Row, &row)),
            Err(reason) => found(Found::Broken(reason, &row)),
        },
        Ok(Some(Embedded::Value(row))) => found(Found::Item(Form::Row, row)),
        Ok(None) => found(Found::Broken("an empty row".to_owned(), raw)),
        Err(reason) => found(Found::Broken(reason, raw)),
    }
}
