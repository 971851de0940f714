//! What delivered files tell, item by item, and what they say they leave untold (formats §1 to §8;
//! semantics §11 rows 37, 39, 45, 50).

use serde_json::Value;

use super::item::{self, Item};
use super::{Mutation, any_case, contradiction, list, text, written};
use crate::world::DOUBTS;

/// Everything that the files of a case tell.
#[derive(Default)]
pub struct Told {
    pub states: Vec<State>,
    pub wholes: Vec<Whole>,
    pub holes: Vec<Hole>,
    /// Something could not be read of which not even the account is known.
    pub unreadable: bool,
    /// Two states of one version contradict each other.
    pub contradicts: bool,
    /// When all of it was received.
    received_ms: i64,
}

/// When files were received of which a case does not say it: behind everything that they tell of.
const RECEIVED_MS: i64 = 1_780_000_000_000;

/// How far ahead of its receipt a moment may be and still count as now (row 68).
const AHEAD_MS: i64 = 15 * 60_000;

/// One state of one resource.
pub struct State {
    /// In the words of the delivery dialect.
    pub item: Value,
    pub account: String,
    /// Where it belongs: `global` items are at home in us-east-1 (semantics §10 row 4).
    pub region: String,
    pub captured_ms: i64,
    /// When its file showed it: a snapshot's moment, or the capture time.
    pub seen_ms: i64,
}

/// One whole snapshot.
pub struct Whole {
    pub account: String,
    pub region: String,
    pub moment_ms: i64,
    /// Home and type of what it shows; and whether that is no more than a deletion.
    pub shown: Vec<(String, String, bool)>,
    pub recorders: Vec<Value>,
    /// Of what it holds and could not be read: account, Regions and type, as far as they are known.
    pub unread: Vec<(Option<String>, Vec<String>, Option<String>)>,
}

/// Something that is known not to have been told.
#[derive(Debug)]
pub struct Hole {
    /// Nothing: each account of the organization.
    pub account: Option<String>,
    /// None: any.
    pub regions: Vec<String>,
    pub kind: Option<String>,
    pub id: Option<String>,
    /// What tells of this moment or a later one may close it.
    pub since_ms: i64,
    /// Its own Region was not told: the Region of its file, which may hold `global` items as well.
    pub of_file: Option<String>,
    pub anywhere: bool,
    /// A whole snapshot holds it, which does not close it.
    pub within: bool,
    /// It could not be read, rather than that it was left out.
    pub unreadable: bool,
    /// An item that could not be read, which a later good state of it mends (row 39).
    pub item: bool,
}

/// Where containers name what they could not give.
const LEFT_OUT: [&str; 2] = ["unprocessedResourceKeys", "UnprocessedResourceIdentifiers"];

/// Where they say that more follows.
const TOKENS: [&str; 2] = ["NextToken", "nextToken"];

/// What a file's name tells.
#[derive(Clone, Default)]
struct Name {
    account: Option<String>,
    region: Option<String>,
    moment_ms: Option<i64>,
    snapshot: bool,
    /// The one type of a history.
    kind: Option<String>,
    /// Where its name tells no Region: that of what it holds.
    teller: Option<String>,
    foreign: bool,
    /// Its moment is ahead of its receipt.
    ahead: bool,
}

type Row = (Option<String>, Option<String>, Option<String>);

/// Rows and keys of one answer, which may come in pages.
#[derive(Default)]
struct Answer {
    /// Account, home and type of each row, as far as they are told.
    rows: Vec<Row>,
    newest_ms: Option<i64>,
    /// It may go on with any type: it lists items, or rows of several types.
    of_any_type: bool,
}

pub fn read(case: &Value, broken: Option<Mutation>) -> Told {
    let received_ms = case["receivedMs"].as_i64().unwrap_or(RECEIVED_MS);
    let mut told = Told { received_ms, ..Told::default() };
    // What comes again tells nothing new, but nothing else either.
    let again = case["again"].as_u64().map(|at| &case["files"][at as usize]);
    for file in list(&case["files"]).iter().chain(again) {
        let mut name = name_of(text(&file["name"]));
        if name.moment_ms.is_some_and(|moment_ms| told.is_ahead(moment_ms)) {
            // Of no moment but its receipt (row 68).
            name.ahead = broken != Some(Mutation::SnapshotsAheadAreWhole);
            name.moment_ms = Some(received_ms);
        }
        let documents = match file["text"].as_str() {
            None => vec![file["content"].clone()],
            Some(raw) => match written::documents(raw) {
                Some(documents) => documents,
                None if name.foreign => continue,
                None => {
                    told.unread(&name, None, broken);
                    continue;
                }
            },
        };
        if name.foreign || documents.iter().any(|document| document["Records"].is_array()) {
            continue;
        }
        let (states, holes) = (told.states.len(), told.holes.len());
        told.documents(&name, &documents, broken);
        // What has no moment of its own is of its file's, by what else that tells.
        let newest = told.states[states..].iter().map(|state| state.captured_ms).max();
        for hole in told.holes[holes..].iter_mut().filter(|hole| hole.since_ms == i64::MAX) {
            hole.since_ms = newest.unwrap_or(i64::MAX);
        }
    }
    let unknown = contradiction::states(&told, broken);
    told.contradicts = !unknown.is_empty();
    told.states.extend(unknown);
    told
}

impl Told {
    /// Whether a moment is too far ahead to be one.
    fn is_ahead(&self, moment_ms: i64) -> bool {
        moment_ms > self.received_ms + AHEAD_MS && *DOUBTS
    }

    /// An item. One dated ahead cannot be read, and is of its receipt (row 68).
    fn read(&self, element: &Value, broken: Option<Mutation>) -> Item {
        let mut read = Item::read(element, broken);
        // A number that is a moment orders states as well (formats §3).
        let number = read.whole.as_ref().and_then(|item| item["configurationStateId"].as_i64());
        let moments = [read.captured_ms, number];
        let ahead = moments.into_iter().flatten().any(|moment_ms| self.is_ahead(moment_ms));
        let gone = read.whole.as_ref().is_some_and(item::is_deleted);
        let pass = match gone {
            true => Mutation::DeletionsAheadCount,
            false => Mutation::ItemsAheadCount,
        };
        if ahead && broken != Some(pass) {
            read.captured_ms = Some(self.received_ms);
            let at_receipt = |item: &Value| item::without_body(item, self.received_ms);
            read.whole = read.whole.as_ref().map(at_receipt);
        }
        read
    }

    /// Documents of one file: pages of one answer, or one thing after another.
    fn documents(&mut self, name: &Name, documents: &[Value], broken: Option<Mutation>) {
        let mut flat: Vec<&Value> = documents.iter().collect();
        while let Some(at) = flat.iter().position(|document| document.is_array()) {
            let inner = list(flat[at]);
            flat.splice(at..at + 1, inner);
        }
        if flat.is_empty() {
            return self.unread(name, None, broken);
        }
        if flat.iter().any(|document| is_answer(document)) {
            let mut answer = Answer::default();
            for page in &flat {
                self.page(name, page, &mut answer, broken);
            }
            let more = flat.last().is_some_and(|last| goes_on(last));
            if more && broken != Some(Mutation::PagesThatGoOnPass) {
                self.goes_on(&answer);
            }
            return;
        }
        for document in flat {
            let is_element = documents.iter().any(Value::is_array);
            if is_element && !document.is_object() {
                self.item(name, document, broken);
            } else {
                self.document(name, document, broken);
            }
        }
    }

    fn document(&mut self, name: &Name, document: &Value, broken: Option<Mutation>) {
        if !document.is_object() {
            return self.unread(name, None, broken);
        }
        let inside = |key: &str| document[key].as_str().and_then(written::document);
        let inner: Option<Value> = inside("Body").or(inside("body")).or(inside("Message"));
        if let Some(inner) = inner {
            return self.document(name, &inner, broken);
        }
        let told = |detail: &Value| {
            ["configurationItem", "configurationItemSummary"]
                .iter()
                .any(|key| !detail[*key].is_null())
        };
        if document["detail"].is_object() && !told(&document["detail"]) {
            // What tells of no item tells of no Region either.
            return self.document(name, &document["detail"], broken);
        }
        if document["detail"].is_object() {
            let mut name = name.clone();
            name.region = name.region.or(document["region"].as_str().map(str::to_owned));
            return self.document(&name, &document["detail"], broken);
        }
        if !document["configurationItem"].is_null() {
            return self.item(name, &document["configurationItem"], broken);
        }
        if let Some(summary) = document["configurationItemSummary"].as_object() {
            // Changed, and how is not told (formats §6).
            let mut changed = Value::Object(summary.clone());
            changed["mute"] = true.into();
            return self.item(name, &changed, broken);
        }
        if let Some(message) = document["messageType"].as_str() {
            // One that should carry an item (row 39).
            let should = message == "ConfigurationItemChangeNotification"
                || message.starts_with("OversizedConfigurationItemChange");
            if should && broken != Some(Mutation::EmptyNotificationsPass) {
                self.unread(name, None, broken);
            }
            return;
        }
        if document["configurationItems"].is_array() {
            return self.container(name, document, broken);
        }
        // What comes by itself is an item where it names a type and tells which, or what of it; else it
        // is something that nobody knows, whose file cannot be read (row 39).
        let names_a_type = text(any_case(document, "resourceType")).contains("::");
        let tells = |member: &str| !any_case(document, member).is_null();
        if !names_a_type || !(tells("resourceId") || tells("configuration")) {
            return self.unread(name, None, broken);
        }
        self.item(name, document, broken);
    }

    /// A snapshot, a history file, or the answer of GetResourceConfigHistory.
    fn container(&mut self, name: &Name, document: &Value, broken: Option<Mutation>) {
        let items = list(&document["configurationItems"]);
        let read: Vec<Item> = items.iter().map(|element| self.read(element, broken)).collect();
        // One that delivers makes it one (row 36). A snapshot tells no deletions, and no resource twice
        // (formats §3); a history, which had that number as well, does.
        let recorder = |item: &&Value| {
            item["resourceType"] == item::RECORDER
                && !super::held::is_internal(item, broken)
                && !item::is_unseen(item)
        };
        let whole_items = || read.iter().filter_map(|item| item.whole.as_ref());
        let mut keys: Vec<_> = read
            .iter()
            .filter(|item| item.whole.is_some())
            .map(|item| (&item.account, &item.region, &item.kind, &item.id))
            .collect();
        keys.sort();
        let by_request = document["requestId"].is_string()
            && name.kind.is_none()
            && whole_items().any(|item| recorder(&item))
            && !whole_items().any(item::is_deleted)
            && keys.windows(2).all(|two| two[0] != two[1]);
        let claims = document["configSnapshotId"].is_string() || name.snapshot || by_request;
        let left_out = LEFT_OUT.iter().any(|key| !list(&document[*key]).is_empty());
        let pass = broken == Some(Mutation::SnapshotsThatLeaveOutAreWhole);
        // A snapshot has no such member (formats §1): what has one, if empty, is an answer of an API's.
        let of_answers = LEFT_OUT.iter().chain(&TOKENS).any(|key| !document[*key].is_null());
        let whole = claims && (pass || !of_answers) && !name.ahead;
        let (first, holes) = (self.states.len(), self.holes.len());
        let regions = read.iter().filter_map(|item| item.region.clone());
        let teller = regions.into_iter().find(|region| region != "global");
        let of_items = Name { teller, ..name.clone() };
        for element in items {
            self.item(&of_items, element, broken);
        }
        // A delivered history has no pages: one that goes on is a list. Nor is what tells of nothing
        // the history of something.
        let pass = broken == Some(Mutation::PagesThatGoOnPass);
        let of_nothing = self.states.len() == first && broken != Some(Mutation::PagesOfNothingPass);
        if of_nothing && name.kind.is_none() && goes_on(document) && !pass {
            self.goes_on(&Answer { newest_ms: name.moment_ms, ..Answer::default() });
        }
        // Nor has a snapshot, nor is what tells of several resources the history of one.
        let ids = self.states[first..].iter().map(|state| &state.item);
        let mut ids: Vec<_> =
            ids.map(|item| (text(&item["resourceType"]), text(&item["resourceId"]))).collect();
        ids.sort_unstable();
        ids.dedup();
        let of_many = claims || ids.len() > 1;
        let of = |state: &State| -> Row {
            let kind = text(&state.item["resourceType"]).to_owned();
            (Some(state.account.clone()), Some(state.region.clone()), Some(kind))
        };
        let rows = |states: &[State]| -> Vec<Row> { states.iter().map(of).collect() };
        let newest_ms = self.states[first..].iter().map(|state| state.captured_ms).max();
        let newest_ms = name.moment_ms.max(newest_ms);
        if of_many && !of_nothing && name.kind.is_none() && goes_on(document) && !pass {
            let rows = rows(&self.states[first..]);
            self.goes_on(&Answer { rows, newest_ms, of_any_type: true });
        }
        if left_out && broken != Some(Mutation::UnprocessedKeysPass) {
            let rows = rows(&self.states[first..]);
            self.left_out(document, &Answer { rows, newest_ms, of_any_type: true });
        }
        if name.kind.is_some() && goes_on(document) && !pass {
            let mut rows = rows(&self.states[first..]);
            if rows.is_empty() {
                rows.push((name.account.clone(), name.region.clone(), name.kind.clone()));
            }
            self.goes_on(&Answer { rows, newest_ms: name.moment_ms, of_any_type: false });
        }
        if !whole {
            return;
        }
        let states = &mut self.states[first..];
        let newest = states.iter().map(|state| state.captured_ms).max();
        let Some(moment_ms) = name.moment_ms.or(newest) else { return };
        states.iter_mut().for_each(|state| state.seen_ms = state.captured_ms.max(moment_ms));
        let regional = states.iter().filter(|state| state.item["awsRegion"] != "global");
        let mut places: Vec<_> =
            regional.map(|state| (state.account.clone(), state.region.clone())).collect();
        places.sort();
        places.dedup();
        // It is of one account and one Region (formats §1), which each item tells, not the name (§5);
        // among several the name tells.
        let named = name.account.clone().zip(name.region.clone());
        let place = match places.as_slice() {
            [] => named,
            [one] => Some(one.clone()),
            several => named.filter(|named| several.contains(named)),
        };
        let Some((account, region)) = place else { return };
        let mut whole =
            Whole { account, region, moment_ms, shown: vec![], recorders: vec![], unread: vec![] };
        for state in states.iter() {
            let kind = text(&state.item["resourceType"]);
            let of_it = state.account == whole.account;
            // A file is the whole truth about its own Region (formats §11 rule 6) and, of `global`
            // types, about what it contains; but not about the regional web ACLs of us-east-1.
            let global = state.item["awsRegion"] == "global" && !kind.starts_with("AWS::WAFv2::");
            if of_it && (state.region == whole.region || global) {
                let gone = item::is_deleted(&state.item);
                whole.shown.push((state.region.clone(), kind.to_owned(), gone));
            }
            if of_it && state.region == whole.region && kind == item::RECORDER {
                whole.recorders.push(state.item.clone());
            }
        }
        for hole in &mut self.holes[holes..] {
            whole.unread.push((hole.account.clone(), hole.regions.clone(), hole.kind.clone()));
            hole.since_ms = hole.since_ms.max(moment_ms);
            hole.within = true;
        }
        self.wholes.push(whole);
    }

    /// A page of a query's or a batch's answer.
    fn page(&mut self, name: &Name, page: &Value, answer: &mut Answer, broken: Option<Mutation>) {
        let mut items: Vec<Value> = vec![];
        for row in list(&page["Results"]) {
            let mut row: Value = written::document(text(row)).unwrap_or(Value::Null);
            if row.is_object() {
                row["of a query"] = Value::Bool(true);
            }
            items.push(row);
        }
        for key in ["baseConfigurationItems", "BaseConfigurationItems"] {
            items.extend(list(&page[key]).iter().cloned());
            answer.of_any_type |= page[key].is_array();
        }
        for element in &items {
            let before = self.states.len();
            self.item(name, element, broken);
            let Item { account, region, kind, .. } = self.read(element, broken);
            let region = region.map(|region| item::home(&region, broken, None));
            answer.rows.push((account, region, kind));
            for state in &self.states[before..] {
                answer.newest_ms = answer.newest_ms.max(Some(state.captured_ms));
            }
        }
        if broken != Some(Mutation::UnprocessedKeysPass) {
            self.left_out(page, answer);
        }
    }

    /// What a container names that it could not give.
    fn left_out(&mut self, page: &Value, answer: &Answer) {
        let since_ms = answer.newest_ms.unwrap_or(i64::MAX);
        for key in list(&page["UnprocessedResourceIdentifiers"]) {
            let said = |key: &Value| key.as_str().map(str::to_owned);
            self.holes.push(Hole {
                account: said(&key["SourceAccountId"]),
                regions: said(&key["SourceRegion"]).into_iter().collect(),
                kind: key["ResourceType"].as_str().map(item::kind),
                id: None,
                since_ms,
                of_file: None,
                anywhere: false,
                within: false,
                unreadable: false,
                item: false,
            });
        }
        let mut shards: Vec<(Option<String>, Option<String>)> =
            answer.rows.iter().map(|row| (row.0.clone(), row.1.clone())).collect();
        shards.retain(|(account, _)| account.is_some());
        shards.sort();
        shards.dedup();
        if shards.is_empty() {
            shards.push((None, None));
        }
        for key in list(&page["unprocessedResourceKeys"]) {
            for (account, region) in &shards {
                self.holes.push(Hole {
                    account: account.clone(),
                    regions: region.iter().cloned().collect(),
                    kind: key["resourceType"].as_str().map(item::kind),
                    id: None,
                    since_ms,
                    of_file: None,
                    anywhere: false,
                    within: false,
                    unreadable: false,
                    item: false,
                });
            }
        }
    }

    /// An answer whose last page says that more follows.
    fn goes_on(&mut self, answer: &Answer) {
        let since_ms = answer.newest_ms.unwrap_or(i64::MAX);
        // Those that its rows tell are meant; whose the others are nobody knows (row 37).
        let mut kinds: Vec<&Option<String>> = answer.rows.iter().map(|(.., kind)| kind).collect();
        kinds.sort();
        kinds.dedup();
        let any = answer.of_any_type || kinds.len() != 1;
        let mut places: Vec<(Option<String>, Option<String>)> = answer
            .rows
            .iter()
            .filter(|(account, ..)| account.is_some())
            .map(|(account, region, _)| (account.clone(), region.clone()))
            .collect();
        places.sort();
        places.dedup();
        if places.is_empty() {
            places.push((None, None));
        }
        for (account, region) in places {
            self.holes.push(Hole {
                account,
                regions: region.into_iter().collect(),
                kind: kinds.first().copied().cloned().flatten().filter(|_| !any),
                id: None,
                since_ms,
                of_file: None,
                anywhere: false,
                within: false,
                unreadable: false,
                item: false,
            });
        }
    }

    fn item(&mut self, name: &Name, element: &Value, broken: Option<Mutation>) {
        let read = self.read(element, broken);
        let (item, account, region, captured_ms) = match (&read.whole, &read) {
            (Some(item), Item { account: Some(a), region: Some(r), captured_ms: Some(at), .. }) => {
                (item.clone(), a.clone(), item::home(r, broken, name.region.as_deref()), *at)
            }
            _ => return self.unread(name, Some(read), broken),
        };
        let teller = name.region.as_deref().or(name.teller.as_deref());
        let elsewhere = teller.is_some_and(|place| place != "us-east-1");
        let unrecorded = item["configurationItemStatus"] == "ResourceNotRecorded";
        if unrecorded
            && item["awsRegion"] == "global"
            && elsewhere
            && broken != Some(Mutation::UnrecordedElsewhereCounts)
        {
            return;
        }
        self.states.push(State { item, account, region, captured_ms, seen_ms: captured_ms });
    }

    /// Notes what could not be read, with all that could.
    fn unread(&mut self, name: &Name, read: Option<Item>, broken: Option<Mutation>) {
        if broken == Some(Mutation::UnreadableItemsPass) {
            return;
        }
        let item = read.is_some();
        let read = read.unwrap_or_default();
        // Of nobody known: it may be anybody's.
        let account = read.account.or(name.account.clone());
        self.unreadable |= account.is_none();
        // A file holds what is of its Region, and `global` items.
        let of_file = name.region.clone().filter(|_| read.region.is_none());
        let anywhere = read.region.is_none() && of_file.is_none();
        let mut regions: Vec<String> = match read.region {
            Some(region) => vec![item::home(&region, broken, name.region.as_deref())],
            None => {
                name.region.iter().flat_map(|of| [of.clone(), "us-east-1".to_owned()]).collect()
            }
        };
        regions.dedup();
        self.holes.push(Hole {
            account,
            regions,
            // Of a history that cannot be read at all its name tells the type.
            kind: read.kind.or(name.kind.clone().filter(|_| !item)),
            id: read.id,
            since_ms: read.captured_ms.or(name.moment_ms).unwrap_or(i64::MAX),
            of_file,
            anywhere,
            within: false,
            unreadable: true,
            item,
        });
    }
}

fn is_answer(document: &Value) -> bool {
    ["Results", "baseConfigurationItems", "BaseConfigurationItems"]
        .iter()
        .any(|key| document[*key].is_array())
}

fn goes_on(page: &Value) -> bool {
    TOKENS.iter().any(|key| !page[*key].is_null() && page[*key] != "")
}

/// `<account>_Config_<region>_ConfigSnapshot_<moment>_…`, `…_ConfigHistory_<type>_<from>_<to>_<n>`.
fn name_of(path: &str) -> Name {
    let file = path.rsplit('/').next().unwrap_or("");
    let words: Vec<&str> = file.split('_').collect();
    if words.get(1) != Some(&"Config") || words.len() < 5 {
        let foreign = ["CloudTrail", "vpcflowlogs", "elasticloadbalancing"];
        // AWS Config tries whether it may write.
        let foreign =
            foreign.iter().any(|word| path.contains(word)) || file == "ConfigWritabilityCheckFile";
        let (account, region) = place_of(path);
        return Name { foreign, account, region, ..Name::default() };
    }
    let moment = match words[3] {
        "ConfigHistory" => words.get(6),
        _ => words.get(4),
    };
    Name {
        account: Some(words[0].to_owned()),
        region: Some(words[2].to_owned()),
        moment_ms: moment.and_then(|moment| item::compact_ms(moment)),
        snapshot: words[3] == "ConfigSnapshot",
        kind: words.get(4).filter(|_| words[3] == "ConfigHistory").map(|kind| item::kind(kind)),
        teller: None,
        foreign: false,
        ahead: false,
    }
}

/// `…/<account>/Config/<region>/<Y>/<M>/<D>/<kind>/…` (formats §5).
fn place_of(path: &str) -> (Option<String>, Option<String>) {
    let folders: Vec<&str> = path.split('/').collect();
    let at = folders.iter().position(|folder| *folder == "Config");
    let Some(at) = at.filter(|at| *at > 0 && at + 5 < folders.len()) else { return (None, None) };
    (Some(folders[at - 1].to_owned()), Some(folders[at + 1].to_owned()))
}
