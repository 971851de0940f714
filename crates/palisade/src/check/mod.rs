//! `palisade check`: judges files against policies once, without a server or a store.
//!
//! Two passes, so that memory stays that of the largest account: files are grouped by account, the
//! accounts that policies refer to are read first, then one account at a time is read, judged and
//! forgotten. What arrives in another account's file waits in a temporary file, and its account is
//! read and judged again with it.

mod groups;
mod networks;
mod question;
mod resource_sets;
mod spill;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use palisade_core::evaluate::{
    AccountFacts, Evidence, Fact, Freshness, Reference, References, Status, judge, reads,
    reads_networks, references,
};
use palisade_core::ident::{AccountId, Region, ShardId};
use palisade_core::inventory::{Missed, Shard, ShardBuilder};
use palisade_core::ledger::{self, Record};
use palisade_core::policy::Policy;

use crate::args::Check;
use crate::failure::{Exit, Failure, Outcome};
use crate::report::{self, Age, Form, Reason, StatusRow, ViolatorLine};
use crate::system::SystemClock;
use crate::terminal::{print_by, say, warn};
use crate::{files, progress};
use groups::{Account, Given, Groups, Reading, Room, Wanted};
use networks::Networks;
use question::Question;
use spill::Spill;

use palisade_api::Clock as _;

/// Violators that one account may have before the API's answer is cut (semantics §3.3).
const LIMIT_MAX: u64 = 100;
/// Warnings printed one by one; the rest is counted.
const WARNINGS_SHOWN_MAX: usize = 20;

/// What is known of each account of the organization by (policy, Region), policies in the order they
/// were given.
type Rows<'q> = BTreeMap<(usize, Region), BTreeMap<&'q AccountId, Finding>>;

/// What an account came to under a policy, without what its place among the rows tells: there are as
/// many as accounts, Regions and policies multiplied.
#[derive(Debug)]
struct Finding {
    status: Option<Status>,
    /// Some resource is in scope.
    holds: bool,
    violator_count: u64,
    /// The newest moment told of its shard, milliseconds since the epoch.
    newest_ms: Option<i64>,
    /// What there is to say besides; of most there is nothing.
    details: Option<Box<Details>>,
}

/// What else an account came to.
#[derive(Debug, Default)]
struct Details {
    issues: BTreeMap<String, String>,
    /// Empty when they were not asked for.
    violators: Vec<ViolatorLine>,
}

/// Runs the command: results on standard output, warnings and what could not be read on standard
/// error.
pub fn run(args: &Check) -> Outcome {
    let question = Question::read(args)?;
    let found = files::find(&args.paths)?;
    if found.is_empty() {
        return Err(Failure::Input(files::NONE.to_owned()));
    }
    let groups = Groups::of(found);
    let threads = args.threads.map_or_else(processors, std::num::NonZeroUsize::get);
    let wanted = Arc::new(question.policies.iter().flat_map(reads).collect());
    let now_ms = SystemClock.now_ms();
    let anybodys = BTreeSet::new();
    let read = Mutex::default();
    let networks = Networks::default();
    let (question_read, groups) = (&question, &groups);
    let check =
        Judging { question: question_read, groups, wanted, anybodys, read, networks, now_ms };
    let found = check.everything(threads)?;
    tell(&found.reading);
    let is_empty = found.findings().next().is_none();
    if is_empty && !found.anything {
        return Err(Failure::Input(
            "no items of the organization's accounts in the files given; check the path".to_owned(),
        ));
    }
    for policy in found.without_resources(&question) {
        warn(format_args!(
            "policy `{}`: no resource in its scope is in the files given",
            policy.name
        ));
    }
    let exit = exit(&found);
    let identified = question.has_given_ids();
    let form = Form { output: args.output, identified, ..Form::default() };
    print_by(|to| report::statuses(told(&question, found.rows, now_ms), &form, to))?;
    if is_empty && question.is_about_somebody() {
        say("no policy could be judged: none is judged in the Regions given or found; \
             policies about CloudFront are judged in us-east-1 alone");
        return Ok(Exit::Undecided);
    }
    Ok(exit)
}

/// The rows as they are reported, in the order of the policies, Regions and accounts.
fn told<'q>(
    question: &'q Question,
    rows: Rows<'q>,
    now_ms: i64,
) -> impl Iterator<Item = StatusRow> + use<'q> {
    let every = rows.into_iter().flat_map(|(place, accounts)| {
        accounts.into_iter().map(move |(account, finding)| (place.clone(), account, finding))
    });
    every.filter_map(move |((at, region), account, finding)| {
        let policy = question.policies.get(at)?;
        let details = finding.details.map(|details| *details).unwrap_or_default();
        Some(StatusRow {
            owner: policy.owner.to_string(),
            policy_id: question.given_id(policy),
            policy: policy.name.to_string(),
            region: region.to_string(),
            account_name: question.account_name(account),
            unit_path: question.unit_path(account),
            account: account.to_string(),
            status: finding.status,
            reason: finding.status.map_or(Reason::NoResult, |_| Reason::Judged),
            age: finding.newest_ms.map(|newest_ms| Age::of(newest_ms, now_ms)),
            violator_count: finding.violator_count,
            limit_exceeded: finding.violator_count > LIMIT_MAX,
            issues: details.issues,
            last_updated: None,
            violators: question.violators.then_some(details.violators),
            waived: 0,
            at: None,
            since: None,
        })
    })
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

fn exit(found: &Found<'_>) -> Exit {
    let any_is = |status: Option<Status>| found.findings().any(|one| one.status == status);
    if !found.reading.unread.is_empty() || !found.reading.nobodys.is_empty() {
        Exit::Unreadable
    } else if any_is(Some(Status::NonCompliant)) {
        Exit::NonCompliant
    } else if any_is(None) {
        Exit::Undecided
    } else {
        Exit::Done
    }
}

fn tell(reading: &Reading) {
    for (path, error) in &reading.unread {
        say(format_args!("`{path}` cannot be read: {error}"));
    }
    for (path, count) in &reading.nobodys {
        let items = report::counted(*count, "item");
        say(format_args!("`{path}`: {items} cannot be read, nor whose that is"));
    }
    if let Some(first) = reading.foreign.first() {
        let more = match reading.foreign.len() {
            1 => String::new(),
            count => format!(" and {} more", count.saturating_sub(1)),
        };
        warn(format_args!("`{}`{more} left out: not of AWS Config", first.display()));
    }
    for warning in reading.warnings.iter().take(WARNINGS_SHOWN_MAX) {
        warn(warning);
    }
    let more = reading.warnings.len().saturating_sub(WARNINGS_SHOWN_MAX);
    if more > 0 {
        let more = report::counted(more as u64, "more item");
        warn(format_args!("and {more} that cannot be read"));
    }
    if let Some(left_out) = strangers_text(&reading.strangers) {
        warn(left_out);
    }
}

/// That accounts of which there are items are not in the organization: the first of them, and what to do.
fn strangers_text(strangers: &BTreeSet<AccountId>) -> Option<String> {
    const NAMED_MAX: usize = 3;
    let named: Vec<&str> = strangers.iter().take(NAMED_MAX).map(AccountId::as_str).collect();
    let more = match strangers.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let short = strangers.iter().find(|id| id.as_str().len() < 12);
    let advice = match (short, strangers.len()) {
        (Some(id), _) => format!("account ids have 12 digits, and {id} may have lost its zeros"),
        (None, 1) => "add it to the organization file if it is".to_owned(),
        (None, _) => "add them to the organization file if they are".to_owned(),
    };
    let (accounts, are) =
        if strangers.len() == 1 { ("account", "it is") } else { ("accounts", "they are") };
    (!strangers.is_empty()).then(|| {
        let named = named.join(", ");
        format!(
            "items of {accounts} {named}{more} left out: {are} not in the organization; {advice}"
        )
    })
}

/// What judging everything came to.
struct Found<'q> {
    rows: Rows<'q>,
    reading: Reading,
    /// Some item was read, or some Region was asked for.
    anything: bool,
}

impl Found<'_> {
    /// Policies that were judged and hold no resource in any account (semantics §11 row 49).
    fn without_resources<'q>(&self, question: &'q Question) -> Vec<&'q Policy> {
        // What could not be read may be about some.
        if !self.reading.unread.is_empty() {
            return Vec::new();
        }
        let mut holds: BTreeMap<usize, bool> = BTreeMap::new();
        for ((at, _), accounts) in &self.rows {
            *holds.entry(*at).or_default() |= accounts.values().any(|finding| finding.holds);
        }
        let without = holds.into_iter().filter(|(_, holds)| !holds);
        without.filter_map(|(at, _)| question.policies.get(at)).collect()
    }

    fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.rows.values().flat_map(BTreeMap::values)
    }
}

/// Adds rows, which stand for those that were there.
fn extend<'q>(rows: &mut Rows<'q>, more: Rows<'q>) {
    for (place, accounts) in more {
        rows.entry(place).or_default().extend(accounts);
    }
}

struct Judging<'a> {
    question: &'a Question,
    groups: &'a Groups,
    wanted: Wanted,
    /// What was not seen and may be any account's.
    anybodys: BTreeSet<Missed>,
    /// What accounts that policies refer to were read into, until they are judged themselves.
    read: Mutex<BTreeMap<AccountId, (Vec<Shard>, Reading)>>,
    /// What accounts say of each other's networks, as far as they were seen.
    networks: Networks,
    now_ms: i64,
}

impl<'a> Judging<'a> {
    fn everything(mut self, threads: usize) -> Result<Found<'a>, Failure> {
        let spill = Spill::new()?;
        let mut facts = self.facts(Some(&spill), None)?;
        // Files of which nobody can tell whose they are come first: what of them cannot be read is
        // held against every account.
        let (nobodys, every): (Vec<&Account>, Vec<&Account>) =
            self.groups.accounts().partition(|account| account.id.is_none());
        let (mut rows, mut reading) =
            self.accounts(&nobodys, Some(&spill), None, &facts, threads)?;
        self.anybodys = reading.anybodys.clone();
        let (more_rows, more) = self.accounts(&every, Some(&spill), None, &facts, threads)?;
        extend(&mut rows, more_rows);
        let others = more.anybodys.difference(&self.anybodys).next().is_some();
        reading.absorb(more);
        self.anybodys = reading.anybodys.clone();
        // What came in other accounts' files: judge its accounts again, with it.
        let late = spill.accounts()?;
        let mut again: BTreeSet<AccountId> = late.clone();
        if others {
            again.extend(every.iter().filter_map(|account| account.id.clone()));
        }
        if self.referenced().iter().any(|account| late.contains(account)) {
            let with_late = self.facts(None, Some(&spill))?;
            if with_late != facts {
                facts = with_late;
                again.extend(every.iter().filter_map(|account| account.id.clone()));
            }
        }
        let again: Vec<Account> = again.into_iter().map(|id| self.groups.account(&id)).collect();
        let again: Vec<&Account> = again.iter().collect();
        let (late_rows, late_reading) =
            self.accounts(&again, None, Some(&spill), &facts, threads)?;
        extend(&mut rows, late_rows);
        // What was wrong with the files themselves was noted the first time.
        reading.regions.extend(late_reading.regions);
        reading.strangers.extend(late_reading.strangers);
        reading.facts.extend(late_reading.facts);
        reading.footings.extend(late_reading.footings);
        let network_rows = self.shared_networks(&mut reading, &spill, &facts, threads)?;
        extend(&mut rows, network_rows);
        let anything = !reading.regions.is_empty() || !self.question.regions.is_empty();
        rows.retain(|(at, region), _| self.question.judges(*at, region, &reading.regions));
        self.unheard(&mut rows, &reading, &facts);
        Ok(Found { rows, reading, anything })
    }

    /// Judges the accounts again whose networks others share, when all were seen: what others say of
    /// theirs was not known before.
    fn shared_networks(
        &mut self,
        reading: &mut Reading,
        spill: &Spill,
        facts: &References,
        threads: usize,
    ) -> Result<Rows<'a>, Failure> {
        let (mut networks, concerned) = Networks::of(std::mem::take(&mut reading.footings));
        if concerned.is_empty() {
            return Ok(Rows::new());
        }
        let again: Vec<Account> = concerned.iter().map(|id| self.groups.account(id)).collect();
        let (bar, mut room) = (indicatif::ProgressBar::hidden(), Room::default());
        for account in &again {
            let (shards, _) = account.read(&self.given(), None, Some(spill), &bar, &mut room)?;
            shards.iter().for_each(|shard| networks.hold(shard));
        }
        self.networks = networks;
        let again: Vec<&Account> = again.iter().collect();
        Ok(self.accounts(&again, None, Some(spill), facts, threads)?.0)
    }

    /// Reads and judges these accounts, some at a time. `out` takes what belongs to others; `late`
    /// gives what came in others' files.
    fn accounts(
        &self,
        accounts: &[&Account],
        out: Option<&Spill>,
        late: Option<&Spill>,
        facts: &References,
        threads: usize,
    ) -> Result<(Rows<'a>, Reading), Failure> {
        let files = accounts.iter().map(|account| account.files.len() as u64).sum();
        let bar = progress::bar(files, "files judged");
        let queue = Mutex::new(accounts.iter());
        let done = Mutex::new((Rows::new(), Reading::default()));
        let work = || -> Result<(), Failure> {
            let mut room = Room::default();
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some(account) = next else { return Ok(()) };
                let is_same = late.is_none() && self.anybodys.is_empty();
                let before = if is_same { self.already(account) } else { None };
                let (shards, mut reading) = match before {
                    Some(read) => {
                        bar.inc(account.files.len() as u64);
                        read
                    }
                    None => account.read(&self.given(), out, late, &bar, &mut room)?,
                };
                let mut rows = Rows::new();
                if let Some(id) = &account.id {
                    let known = self.question.organization.accounts.contains_key(id);
                    if !known && !shards.is_empty() {
                        reading.strangers.insert(id.clone());
                        reading.regions.clear();
                    }
                    for shard in &shards {
                        self.shard(shard, &reading, facts, &mut rows);
                    }
                }
                let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                extend(&mut done.0, rows);
                done.1.absorb(reading);
            }
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
            let ends = workers.into_iter().map(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|_| Err(Failure::Refused("a thread failed".to_owned())))
            });
            ends.collect::<Result<(), Failure>>()
        })?;
        bar.finish_and_clear();
        Ok(done.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn given(&self) -> Given<'_> {
        let Judging { question, wanted, anybodys, now_ms, .. } = self;
        Given { wanted, anybodys, assumed: &question.assumed, now_ms: *now_ms }
    }

    /// What an account was read into before, with nothing that came in others' files.
    fn already(&self, account: &Account) -> Option<(Vec<Shard>, Reading)> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.remove(account.id.as_ref()?)
    }

    /// Judges one shard under every policy of its Region.
    fn shard(&self, shard: &Shard, reading: &Reading, facts: &References, rows: &mut Rows<'a>) {
        let (organization, region) = (&self.question.organization, &shard.id.region);
        let known = organization.accounts.get_key_value(&shard.id.account);
        let Some((account, _)) = known else { return };
        let mut told = reading.facts.get(&shard.id.account).cloned().unwrap_or_default();
        if reads_networks(&self.wanted) {
            told.network = self.networks.facts(shard);
        }
        told.assume(&self.question.assumed);
        for (at, policy) in self.question.policies_in(region) {
            if policy.scope.has_account(organization, account) {
                let row = self.row(&policy, shard, &told, facts);
                rows.entry((at, region.clone())).or_default().insert(account, row);
            }
        }
    }

    fn row(
        &self,
        policy: &Policy,
        shard: &Shard,
        account: &AccountFacts,
        facts: &References,
    ) -> Finding {
        let facts = self.question.with_resource_sets(policy, facts);
        let evidence = Evidence {
            shard,
            references: &facts,
            account,
            evaluated_ms: self.now_ms,
            stale_after_ms: self.question.stale_after_ms,
        };
        let judgement = judge(policy, &evidence);
        let change = ledger::advance(&Record::default(), &judgement, policy.revision, self.now_ms);
        let issues = change.map(|change| change.entry.issues).unwrap_or_default();
        let told = judgement.violators.iter().filter(|_| self.question.violators);
        let details = Details {
            issues: issues.into_iter().map(|(service, text)| (word(service), text)).collect(),
            violators: told.map(|violator| violator_line(violator, shard)).collect(),
        };
        let has_details = !(details.issues.is_empty() && details.violators.is_empty());
        Finding {
            status: judgement.status(),
            holds: judgement.in_scope > 0,
            violator_count: judgement.violators.len() as u64,
            newest_ms: shard.newest_ms,
            details: has_details.then(|| Box::new(details)),
        }
    }

    /// Accounts in scope of which nothing was delivered in a Region that is judged: the gap shows.
    fn unheard(&self, rows: &mut Rows<'a>, reading: &Reading, facts: &References) {
        for region in self.question.judged(&reading.regions) {
            for (at, policy) in self.question.policies_in(&region) {
                if !self.question.judges(at, &region, &reading.regions) {
                    continue;
                }
                let accounts = rows.entry((at, region.clone())).or_default();
                for account in palisade_core::scope::in_scope_accounts(
                    &policy.scope,
                    &self.question.organization,
                ) {
                    if accounts.contains_key(account) {
                        continue;
                    }
                    let id = ShardId { account: account.clone(), region: region.clone() };
                    let mut builder = ShardBuilder::new(id);
                    self.anybodys.iter().for_each(|missed| builder.miss(missed.clone()));
                    let mut shard = builder.seal();
                    shard.assumed = self.question.assumed.clone();
                    let mut nothing = AccountFacts::default();
                    nothing.assume(&self.question.assumed);
                    let told = reading.facts.get(account).unwrap_or(&nothing);
                    let row = self.row(&policy, &shard, told, facts);
                    accounts.insert(account, row);
                }
            }
        }
    }

    /// Accounts whose items some policy refers to.
    fn referenced(&self) -> BTreeSet<AccountId> {
        let every = self.question.policies.iter().flat_map(references);
        every
            .filter_map(|reference| match reference {
                Reference::Item { account, .. } => Some(account),
                Reference::AppsList { .. }
                | Reference::ProtocolsList { .. }
                | Reference::ResourceSet { .. }
                | Reference::CommonPolicies
                | Reference::Group { .. }
                | Reference::Vpc { .. } => None,
            })
            .collect()
    }

    /// What the policies refer to, as far as it is there. What is read with an `out`, which takes what
    /// belongs to others, is kept.
    fn facts(&self, out: Option<&Spill>, late: Option<&Spill>) -> Result<References, Failure> {
        let mut read = BTreeMap::new();
        let (bar, mut room) = (indicatif::ProgressBar::hidden(), Room::default());
        for id in self.referenced() {
            let account = self.groups.account(&id);
            let found = account.read(&self.given(), out, late, &bar, &mut room)?;
            read.insert(id, found);
        }
        let shards: BTreeMap<&ShardId, &Shard> =
            read.values().flat_map(|(shards, _)| shards).map(|shard| (&shard.id, shard)).collect();
        let regions: BTreeSet<Region> = shards.keys().map(|id| id.region.clone()).collect();
        let known = self.question.common_policies.clone();
        let mut facts = References::from([(Reference::CommonPolicies, Fact::Policies(known))]);
        for region in regions {
            for (_, policy) in self.question.policies_in(&region) {
                for reference in references(&policy) {
                    let Reference::Item { account, region, resource_type, id } = &reference else {
                        continue;
                    };
                    let shard = ShardId { account: account.clone(), region: region.clone() };
                    let Some(shard) = shards.get(&shard) else { continue };
                    if let Some(item) = shard.item(resource_type, id.as_str()) {
                        let freshness = Freshness::of(shard, resource_type, id);
                        facts.insert(reference.clone(), Fact::Item(item.clone(), freshness));
                    }
                }
            }
        }
        drop(shards);
        if out.is_some() {
            *self.read.lock().unwrap_or_else(PoisonError::into_inner) = read;
        }
        Ok(facts)
    }
}

fn violator_line(violator: &palisade_core::evaluate::Violator, shard: &Shard) -> ViolatorLine {
    let first = violator.violations.first();
    let item = shard.item(&violator.resource_type, violator.id.as_str());
    let captured =
        item.and_then(|item| jiff::Timestamp::from_millisecond(item.version.captured_ms).ok());
    ViolatorLine {
        resource_type: violator.resource_type.to_string(),
        id: violator.id.to_string(),
        reason: first.map(|first| word(first.reason)).unwrap_or_default(),
        since: captured.map(|moment| moment.to_string()),
        judged: None,
        evidence: violator.violations.iter().map(|one| one.finding.summary()).collect(),
        waiver: None,
    }
}

/// AWS's word for one of the model's closed choices.
fn word(choice: impl serde::Serialize) -> String {
    match serde_json::to_value(choice) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests;
