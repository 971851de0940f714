//! Why one resource is judged as it is: the same judgement of the same shard, with a listener.
//! Nothing here decides what the evaluators decide.

use std::collections::BTreeSet;

use crate::ident::{ResourceId, ResourceType};
use crate::inventory::{Item, ItemKey};
use crate::policy::Policy;
use crate::scope::AccountFilter;

use super::filter::{Filter, Special};
use super::finding::Violation;
use super::gap::Gap;
use super::judgement::{Evidence, Judgement};
use super::lacking::{Lacking, Missing};
use super::listener::{Heard, Held, ItemSeen, Listener};
use super::reference::Fact;
use super::{evaluator, judge_into, references, selection};

/// How a resource stands to a policy, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Explanation {
    /// The resource.
    pub key: ItemKey,
    /// What is found of it.
    pub verdict: Explained,
    /// What it was held against, member by member; at most [`HELD_MAX`](super::HELD_MAX).
    pub held_against: Vec<Held>,
    /// How many more members it was held against.
    pub more_held: u64,
    /// The items it was judged by, itself first; at most [`READ_MAX`](super::READ_MAX) and those that the
    /// policy names.
    pub items: Vec<ItemSeen>,
}

/// What is found of a resource.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Explained {
    /// It breaks the policy.
    Violates {
        /// In these ways; the first is the one to report.
        violations: Vec<Violation>,
        /// What more could be known.
        missing: Vec<Missing>,
    },
    /// It is as the policy wants it, and nothing stood in the way of knowing.
    Complies,
    /// The policy is not about it.
    OutOfScope(Filter),
    /// Nothing can be claimed of it: this is missing.
    Unknown(Vec<Missing>),
}

/// Explains how a resource of a shard stands to a policy of the shard's Region whose scope holds the
/// shard's account. `None`: the shard holds no such resource.
pub fn explain(
    policy: &Policy,
    evidence: &Evidence<'_>,
    resource_type: &ResourceType,
    id: &ResourceId,
) -> Option<Explanation> {
    let item = evidence.shard.item(resource_type, id.as_str())?;
    let mut judgement = Judgement {
        listener: Some(Box::new(Listener::to(resource_type, id))),
        ..Judgement::default()
    };
    judge_into(policy, evidence, &mut judgement);
    let heard = judgement.listener.take().map(|listener| listener.into_heard()).unwrap_or_default();
    let verdict = verdict(policy, evidence, item, &judgement, &heard);
    let mut items = vec![ItemSeen::of(item)];
    let of_policy = references(policy).into_iter().filter_map(|reference| {
        match evidence.references.get(&reference) {
            Some(Fact::Item(item, _)) => Some(ItemSeen::of(item)),
            _ => None,
        }
    });
    let told = heard.told;
    for seen in told.read.into_iter().chain(of_policy) {
        if items.iter().all(|known| known.key != seen.key) {
            items.push(seen);
        }
    }
    if matches!(verdict, Explained::OutOfScope(_)) {
        items.truncate(1);
    }
    let (key, held_against, more_held) = (item.key.clone(), told.held, told.more);
    Some(Explanation { key, verdict, held_against, more_held, items })
}

/// What was heard of the resource. While somebody listens, a judgement keeps no gaps that concern others
/// alone.
fn verdict(
    policy: &Policy,
    evidence: &Evidence<'_>,
    item: &Item,
    judgement: &Judgement,
    heard: &Heard,
) -> Explained {
    let here = &judgement.gaps;
    let missing = |gaps: &BTreeSet<Gap>| Missing::all(policy, evidence, gaps);
    let is_it = |(kind, id): (&ResourceType, &ResourceId)| {
        *kind == item.key.resource_type && *id == item.key.id
    };
    let mut violators = judgement.violators.iter();
    if let Some(violator) = violators.find(|one| is_it((&one.resource_type, &one.id))) {
        let violations = violator.violations.clone();
        return Explained::Violates { violations, missing: missing(here) };
    }
    if heard.in_scope {
        return match here.is_empty() && !heard.is_undecided {
            true => Explained::Complies,
            false => Explained::Unknown(missing(here)),
        };
    }
    if !heard.own.is_empty() {
        return Explained::Unknown(missing(&heard.own));
    }
    let account = &evidence.shard.id.account;
    let special = || evaluator(&policy.rule).leaves_out(policy, evidence.shard, item);
    let filter = selection::filter(policy, account, item);
    let filter = filter.or_else(|| special().map(Filter::Special));
    Explained::OutOfScope(filter.unwrap_or(Filter::Special(Special::NotJudged)))
}

impl Explanation {
    /// Of a resource whose account, or Region, the policy is not about.
    pub fn out_of_scope(item: &Item, filter: Filter) -> Explanation {
        Explanation {
            key: item.key.clone(),
            verdict: Explained::OutOfScope(filter),
            held_against: Vec::new(),
            more_held: 0,
            items: vec![ItemSeen::of(item)],
        }
    }

    /// Of a resource whose account is out of the policy's scope.
    pub fn of_other_account(item: &Item, filter: AccountFilter) -> Explanation {
        Explanation::out_of_scope(item, Filter::Account(filter))
    }

    /// The verdict as a person says it: the same in every reader.
    pub fn sentence(&self) -> String {
        let id = &self.key.id;
        match &self.verdict {
            Explained::Violates { violations, .. } => {
                // What would end it is told apart.
                let evidence = |summary: String| {
                    summary.split("; to end it: ").next().map(str::to_owned).unwrap_or_default()
                };
                let first = violations.first().map(|one| evidence(one.finding.summary()));
                let more = match violations.len() {
                    0 | 1 => String::new(),
                    count => format!(" And {} more.", counted(count.saturating_sub(1))),
                };
                format!("{id} violates the policy: {}.{more}", first.unwrap_or_default())
            }
            Explained::Complies => format!("{id} complies with the policy."),
            Explained::OutOfScope(filter) => {
                format!("{id} is out of the policy's scope: {}.", filter.summary())
            }
            Explained::Unknown(missing) => {
                let texts: Vec<&str> = missing.iter().map(|one| &*one.gap.text).collect();
                format!("Whether {id} complies is not known: {}", texts.join(" "))
            }
        }
    }

    /// What would end the verdict: a violation, or that it is not known; the likeliest first.
    pub fn ends_by(&self) -> Vec<String> {
        match &self.verdict {
            Explained::Violates { violations, .. } => {
                let all = violations.iter().flat_map(|one| one.finding.ends_by());
                let mut said = BTreeSet::new();
                all.filter(|text| said.insert(text.clone())).collect()
            }
            Explained::Unknown(missing) => {
                let all = missing.iter().filter_map(|one| one.ends_by.clone());
                let mut said = BTreeSet::new();
                all.filter(|text| said.insert(text.clone())).collect()
            }
            Explained::Complies | Explained::OutOfScope(_) => Vec::new(),
        }
    }

    /// What is missing, where something is.
    pub fn missing(&self) -> &[Missing] {
        match &self.verdict {
            Explained::Violates { missing, .. } | Explained::Unknown(missing) => missing,
            Explained::Complies | Explained::OutOfScope(_) => &[],
        }
    }

    /// The facts that are missing.
    pub fn lacking(&self) -> impl Iterator<Item = &Lacking> {
        self.missing().iter().map(|one| &one.fact)
    }
}

fn counted(violations: usize) -> String {
    format!("{violations} violation{}", if violations == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests;
