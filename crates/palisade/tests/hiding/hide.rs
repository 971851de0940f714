//! What can be hidden of an account's files, and how what is left is written.

use serde_json::{Map, Value, json};

use super::world::{Change, File, Form, Telling, is_recorder};
use palisade_testkit::Rng;

/// Something to hide, by the numbers of its file and item.
#[derive(Clone, Debug)]
pub enum Place {
    /// A member of an item or of its bodies: a JSON pointer.
    Member(usize, usize, String),
    /// An item of a file that does not claim to be whole, or a recorder's.
    Item(usize, usize),
    /// The same, and the answer names it.
    LeftOut(usize, usize),
    /// One of two pages of an answer.
    Page(usize, usize),
    /// All that a message tells but whose it is and which.
    Told(usize),
    /// A file.
    File(usize),
    /// A half of one.
    Half(usize),
}

impl Place {
    pub fn kind(&self) -> &'static str {
        match self {
            Place::Member(..) => "a member",
            Place::Item(..) => "an item",
            Place::LeftOut(..) => "an item that is named",
            Place::Page(..) => "a page",
            Place::Told(_) => "what a message tells",
            Place::File(_) => "a file",
            Place::Half(_) => "half of a file",
        }
    }

    /// The file without what is hidden; `None`: there is no file.
    fn hide(&self, mut file: File) -> Option<File> {
        match self {
            Place::Member(_, item, pointer) => {
                let (parent, name) = pointer.rsplit_once('/').unwrap();
                let parent = file.items[*item].pointer_mut(parent).unwrap();
                parent.as_object_mut().unwrap().remove(name).unwrap();
            }
            Place::Item(_, item) => drop(file.items.remove(*item)),
            Place::LeftOut(_, item) => {
                let gone = file.items.remove(*item);
                let Form::Batch(named) = &mut file.form else { panic!("not a batch") };
                named.push(
                    json!({"resourceType": gone["resourceType"], "resourceId": gone["resourceId"]}),
                );
            }
            Place::Page(_, page) => {
                let Form::Query(pages) = &mut file.form else { panic!("not a query") };
                pages[*page] = false;
            }
            Place::Told(_) => file.form = Form::Oversized,
            Place::File(_) => return None,
            Place::Half(_) => file.cut = true,
        }
        Some(file)
    }

    fn file(&self) -> usize {
        match self {
            Place::Member(file, ..) | Place::Item(file, _) | Place::LeftOut(file, _) => *file,
            Place::Page(file, _) | Place::Told(file) | Place::File(file) | Place::Half(file) => {
                *file
            }
        }
    }

    /// The files without what is hidden.
    pub fn hidden(&self, files: &[File]) -> Vec<File> {
        let mut left = files.to_vec();
        let file = left.remove(self.file());
        if let Some(file) = self.hide(file) {
            left.insert(self.file(), file);
        }
        left
    }

    /// Whether something else tells of what is hidden, so that nobody can know that it was: for all
    /// but members and what an answer itself says is missing, an older state of the resource, or the
    /// recorder's item or the snapshot that makes its type known (semantics §11 row 36).
    pub fn stands_otherwise(&self, files: &[File]) -> bool {
        let file = &files[self.file()];
        match self {
            // Delivered snapshots have recorders that do not say it: that they deliver tells it.
            Place::Member(_, _, pointer) => pointer == "/configuration/Recording",
            Place::LeftOut(..) | Place::Told(_) | Place::Half(_) => false,
            // Without its last page an answer says that it goes on.
            Place::Page(_, page) => *page == 0,
            Place::Item(_, item) if is_recorder(&file.items[*item]) => {
                files.iter().any(|file| file.form == Form::Snapshot)
            }
            Place::Item(..) => true,
            Place::File(_) => file.form != Form::Snapshot && !file.items.iter().any(is_recorder),
        }
    }

    /// Whether a change is of what is hidden alone, and in every state of it that is told.
    pub fn covers(&self, change: &Change, files: &[File]) -> bool {
        let file = &files[self.file()];
        change.0.iter().all(|part| {
            let newest =
                files.iter().rposition(|file| file.items.iter().any(|item| part.is_of(item)));
            if newest != Some(self.file()) {
                return false;
            }
            let is_of = |item: &usize| part.is_of(&file.items[*item]);
            match self {
                Place::Member(_, item, pointer) => {
                    is_of(item)
                        && (part.at == pointer || part.at.starts_with(&format!("{pointer}/")))
                }
                Place::Item(_, item) | Place::LeftOut(_, item) => is_of(item),
                Place::Page(_, page) => {
                    let at = file.items.iter().position(|item| part.is_of(item)).unwrap();
                    (at >= file.items.len() / 2) == (*page == 1)
                }
                Place::Told(_) | Place::File(_) | Place::Half(_) => true,
            }
        })
    }
}

/// All that can be hidden of these files.
pub fn places(files: &[File]) -> Vec<Place> {
    let mut places = Vec::new();
    for (at, file) in files.iter().enumerate() {
        places.push(Place::File(at));
        match file.form {
            Form::Snapshot | Form::History(_) => places.push(Place::Half(at)),
            Form::Query(_) => places.extend([Place::Page(at, 0), Place::Page(at, 1)]),
            Form::Message => places.push(Place::Told(at)),
            Form::Batch(_) | Form::Oversized => {}
        }
        for (number, item) in file.items.iter().enumerate() {
            match file.form {
                Form::Snapshot if !is_recorder(item) => {}
                Form::Message => {}
                Form::Batch(_) => {
                    places.extend([Place::Item(at, number), Place::LeftOut(at, number)])
                }
                _ => places.push(Place::Item(at, number)),
            }
            let mut members = Vec::new();
            below(item, &mut String::new(), &mut members);
            // Of an item of nobody in a file of nobody everybody's verdict depends.
            let is_named = matches!(file.form, Form::Snapshot | Form::History(_));
            members.retain(|member| is_named || member != "/awsAccountId");
            places.extend(members.into_iter().map(|member| Place::Member(at, number, member)));
        }
    }
    places
}

/// Pointers to the members of all objects within a value.
fn below(value: &Value, path: &mut String, members: &mut Vec<String>) {
    let length = path.len();
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                // A tag is no member: a map of tags claims to be all of them.
                if path == "/tags" {
                    continue;
                }
                path.push('/');
                path.push_str(name);
                members.push(path.clone());
                below(inner, path, members);
                path.truncate(length);
            }
        }
        Value::Array(list) => {
            for (at, inner) in list.iter().enumerate() {
                path.push_str(&format!("/{at}"));
                below(inner, path, members);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

/// Some of the places, of each kind at least one where there is one; members of a body twice as often as
/// those of the item.
pub fn pick(files: &[File], dice: &mut Rng) -> Place {
    let mut all = places(files);
    let other = dice.u64(..5) == 0;
    let deep = dice.u64(..3) > 0;
    let wanted = |place: &Place| match place {
        Place::Member(_, _, pointer) => !other && (pointer.matches('/').count() > 1) == deep,
        _ => other,
    };
    all.retain(wanted);
    all.swap_remove(dice.u64(..all.len() as u64) as usize)
}

/// How the path of data takes an absent member: the negative controls fill it in.
pub type Fault = fn(&mut Value);

/// No fault.
pub fn sound(_: &mut Value) {}

/// Name and text of a file of an account.
pub fn written(account: &str, file: &File, telling: Telling, fault: Fault) -> (String, String) {
    let mut items = file.items.clone();
    items.iter_mut().for_each(fault);
    let prefix = format!("{account}_Config_us-east-1");
    let name = match &file.form {
        Form::Snapshot => format!(
            "{prefix}_ConfigSnapshot_20261101T063000Z_00000000-0000-4000-8000-000000000000.json"
        ),
        Form::History(kind) => {
            format!("{prefix}_ConfigHistory_{kind}_20261101T060000Z_20261101T120000Z_1.json")
        }
        _ => format!("{telling:?}.json").to_lowercase(),
    };
    let text = match &file.form {
        Form::Snapshot => json!({"fileVersion": "1.0",
            "configSnapshotId": "00000000-0000-4000-8000-000000000000", "configurationItems": items})
        .to_string(),
        Form::History(_) => json!({"fileVersion": "1.0", "configurationItems": items}).to_string(),
        Form::Query(pages) => {
            let rows: Vec<Value> = items.into_iter().map(|item| json!(row(item).to_string())).collect();
            let (first, last) = rows.split_at(rows.len() / 2);
            let page = |rows: &[Value], token: Option<&str>| {
                json!({"Results": rows, "QueryInfo": {"SelectFields": []}, "NextToken": token}).to_string()
            };
            let lines = [page(first, Some("t")), page(last, None)];
            let there = lines.into_iter().zip(pages).filter(|(_, there)| **there);
            there.map(|(line, _)| line).collect::<Vec<_>>().join("\n")
        }
        Form::Batch(named) => {
            let items: Vec<Value> = items.into_iter().map(by_api).collect();
            json!({"baseConfigurationItems": items, "unprocessedResourceKeys": named}).to_string()
        }
        Form::Message => message(json!({"configurationItemDiff": null, "configurationItem": items[0],
            "messageType": "ConfigurationItemChangeNotification", "recordVersion": "1.3"})),
        Form::Oversized => {
            let mut summary = items.swap_remove(0);
            for told in ["configuration", "supplementaryConfiguration", "relationships", "tags"] {
                summary.as_object_mut().unwrap().remove(told);
            }
            summary["changeType"] = json!("UPDATE");
            message(json!({"configurationItemSummary": summary, "recordVersion": "1.3",
                "s3DeliverySummary": {"s3BucketLocation": "bucket/key"},
                "messageType": "OversizedConfigurationItemChangeNotification"}))
        }
    };
    let length = if file.cut { text.len() / 2 } else { text.len() };
    (name, text[..length].to_owned())
}

fn message(notification: Value) -> String {
    json!({"Type": "Notification", "MessageId": "1", "Message": notification.to_string()})
        .to_string()
}

fn renamed(item: Value) -> Map<String, Value> {
    let Value::Object(members) = item else { panic!("an item is an object") };
    let name = |name: String| match name.as_str() {
        "awsAccountId" => "accountId".to_owned(),
        "configurationItemVersion" => "version".to_owned(),
        _ => name,
    };
    members.into_iter().map(|(key, value)| (name(key), value)).collect()
}

/// An item with the names of the API, its bodies as text.
fn by_api(item: Value) -> Value {
    let mut members = renamed(item);
    for text in ["configuration", "configurationStateId"] {
        if let Some(value) = members.get_mut(text) {
            *value = json!(value.to_string());
        }
    }
    if let Some(Value::Object(map)) = members.get_mut("supplementaryConfiguration") {
        map.values_mut().for_each(|value| *value = json!(value.to_string()));
    }
    members.into()
}

/// A row of a query: tags as a list, no number of its state.
fn row(item: Value) -> Value {
    let mut members = renamed(item);
    if let Some(Value::Object(tags)) = members.get_mut("tags") {
        let tags: Vec<Value> =
            tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
        members.insert("tags".to_owned(), json!(tags));
    }
    for absent in ["configurationStateId", "version"] {
        members.remove(absent);
    }
    members.into()
}
