//! What a delivery had, or its source has, and could not give: items that cannot be read, and answers
//! that go on or name what they leave out. Each is a gap until something later closes it (semantics
//! §11 rows 37 and 39).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ident::{AccountId, Region, ResourceId, ResourceType, ShardId};

use super::age::is_ahead;
use super::name::NameFacts;
use super::region::region_named;

/// Something that was not seen, and where it may belong.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Missed {
    /// Whose; `None`: it may be any account's of the organization.
    pub account: Option<AccountId>,
    /// In which Region, us-east-1 for what is `global`; `None`: in any.
    pub region: Option<Region>,
    /// Of which type, one of [`ResourceType::NAMED`]; `None`: of any.
    pub resource_type: Option<ResourceType>,
    /// The id of the resource of an item, the name of a file, or a call and its error code
    /// (`ec2:DescribeVpcs UnauthorizedOperation`), where it is known.
    pub what: Option<Box<str>>,
    /// Why.
    pub cause: Cause,
    /// A whole snapshot or complete listing of the type from this moment on closes the gap, and so
    /// does a state of the resource of an item that was seen then; milliseconds since the epoch.
    pub moment_ms: i64,
}

/// Why something was not seen.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum Cause {
    /// A listing says that more follows.
    GoesOn,
    /// An answer names resources that it leaves out.
    LeftOut,
    /// An item cannot be read.
    Item,
    /// A file cannot be read.
    File,
    /// A call of AWS's APIs failed, so that a collector could not list the type.
    Call,
}

/// A gap of one type in one shard that nothing has closed.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct OpenGap {
    /// Why.
    pub cause: Cause,
    /// Whether it is known to concern this type, rather than perhaps any.
    pub of_type: bool,
    /// [`Missed::what`]
    pub what: Option<Box<str>>,
}

/// Gaps of a shard that nothing has closed, by type.
pub type OpenGaps = BTreeMap<ResourceType, BTreeSet<OpenGap>>;

/// Types of which resources are `global`, all or some: they come in any Region's file and belong to
/// us-east-1.
const GLOBAL: [ResourceType; 4] = [
    ResourceType::CLOUDFRONT_DISTRIBUTION,
    ResourceType::SHIELD_PROTECTION,
    ResourceType::WAF_WEB_ACL,
    ResourceType::WAFV2_WEB_ACL,
];

/// Whether an item of a type, or a listing of it, shows that its account has something in the Region:
/// what may be `global` is told of us-east-1 whatever the account has there (semantics §10 row 4).
pub fn shows_region(resource_type: &ResourceType) -> bool {
    !may_be_global(resource_type)
}

/// Whether resources of a type may be `global`. Of types that nobody reads that is not known.
pub(super) fn may_be_global(resource_type: &ResourceType) -> bool {
    GLOBAL.contains(resource_type) || !ResourceType::NAMED.contains(resource_type)
}

/// The type that a text tells: its parts are joined by `::` and have no blanks. Taken for a type that
/// nobody reads, another text would hide an item.
pub(super) fn type_told(text: &str) -> Option<ResourceType> {
    let is_type = text.contains("::") && !text.contains(char::is_whitespace);
    ResourceType::try_from(text).ok().filter(|_| is_type)
}

/// The Region that a text tells of something of this type: us-east-1 for `global`, unless resources
/// of the type never are.
pub(super) fn region_told(text: &str, resource_type: Option<&ResourceType>) -> Option<Region> {
    if text.eq_ignore_ascii_case("global") {
        return resource_type.is_none_or(may_be_global).then(Region::home_of_global);
    }
    region_named(text).ok()
}

/// Which gaps of a shard are open.
///
/// `missed` are those that concern the shard; `mark_ms` tells the moment of the newest snapshot or
/// listing that is the whole truth about a type, and `seen_ms` when the resource of an item was seen
/// last. All of these are maxima, so the answer does not depend on the order of arrival.
pub fn open_gaps<'m>(
    missed: impl IntoIterator<Item = &'m Missed>,
    mark_ms: impl Fn(&ResourceType) -> Option<i64>,
    mut seen_ms: impl FnMut(&Missed) -> Option<i64>,
) -> OpenGaps {
    let mut open = OpenGaps::new();
    for one in missed {
        let is_item = one.cause == Cause::Item && one.what.is_some();
        if is_item && seen_ms(one).is_some_and(|seen| seen >= one.moment_ms) {
            continue;
        }
        let types = match &one.resource_type {
            Some(resource_type) => std::slice::from_ref(resource_type),
            None => ResourceType::NAMED,
        };
        for resource_type in types {
            if mark_ms(resource_type).is_none_or(|mark| mark < one.moment_ms) {
                open.entry(resource_type.clone()).or_default().insert(OpenGap {
                    cause: one.cause,
                    of_type: one.resource_type.is_some(),
                    what: one.what.clone(),
                });
            }
        }
    }
    open
}

/// What is known of an item of which not even the resource is.
#[derive(Clone, Debug, Default)]
pub(super) struct Lost {
    pub sort: Sort,
    pub captured_ms: Option<i64>,
}

/// Whose it is and which, as far as that can be read.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Sort {
    /// Several where a list of items stands for one.
    pub accounts: BTreeSet<AccountId>,
    /// us-east-1 for `global`.
    pub region: Option<Region>,
    pub resource_type: Option<ResourceType>,
    pub id: Option<ResourceId>,
}

impl Sort {
    /// Whether what is told of account and Region leaves a shard open.
    fn may_be_in(&self, shard: &ShardId) -> bool {
        (self.accounts.is_empty() || self.accounts.contains(&shard.account))
            && self.region.as_ref().is_none_or(|region| *region == shard.region)
    }
}

/// Lost items of one file that are told apart by their ids; then, as many more by all else.
pub(super) const LOST_MAX: usize = 1_000;

/// The lost items of a file.
#[derive(Debug, Default)]
pub(super) struct LostItems {
    sorts: BTreeMap<Sort, Option<i64>>,
    /// Of how many nothing tells whose they are.
    pub nobodys: u64,
}

impl LostItems {
    pub fn add(&mut self, lost: Lost) {
        let Lost { mut sort, captured_ms } = lost;
        if sort.resource_type == Some(ResourceType::CONFIGURATION_RECORDER) {
            // Without its recorder a snapshot may tell too little of any type.
            sort.resource_type = None;
        }
        self.nobodys += u64::from(sort.accounts.is_empty());
        for rows_max in [LOST_MAX, 2 * LOST_MAX] {
            if self.sorts.len() < rows_max || self.sorts.contains_key(&sort) {
                break;
            }
            sort = match rows_max {
                LOST_MAX => Sort { id: None, ..sort },
                _ => Sort::default(),
            };
        }
        let known = self.sorts.entry(sort).or_insert(captured_ms);
        *known = (*known).max(captured_ms);
    }

    pub fn is_empty(&self) -> bool {
        self.sorts.is_empty()
    }

    /// The types of which some are lost.
    pub fn types(&self) -> BTreeSet<&ResourceType> {
        self.sorts.keys().filter_map(|sort| sort.resource_type.as_ref()).collect()
    }

    /// Whether one may be of any type.
    pub fn of_any_type(&self) -> bool {
        self.sorts.keys().any(|sort| sort.resource_type.is_none())
    }

    /// Whether one may be of any type of a shard.
    pub fn of_any_type_in(&self, shard: &ShardId) -> bool {
        self.sorts.keys().any(|sort| sort.resource_type.is_none() && sort.may_be_in(shard))
    }

    /// Whether one may be of this type and shard.
    pub fn of_type_in(&self, shard: &ShardId, resource_type: &ResourceType) -> bool {
        let of_it = |sort: &Sort| sort.resource_type.as_ref().is_none_or(|t| t == resource_type);
        self.sorts.keys().any(|sort| of_it(sort) && sort.may_be_in(shard))
    }

    fn accounts(&self) -> impl Iterator<Item = &AccountId> {
        self.sorts.keys().flat_map(|sort| &sort.accounts)
    }
}

/// Where the items of a file are.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Contents {
    pub accounts: BTreeSet<AccountId>,
    /// us-east-1 for `global` ones.
    pub regions: BTreeSet<Region>,
    pub types: BTreeSet<ResourceType>,
    /// The one Region of those that are not `global`.
    pub home: Option<Region>,
}

/// What a listing lists, which tells what its other pages may hold.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Listing {
    /// Configuration items.
    Items,
    /// Rows of a query.
    Rows,
    /// Ids, of one type a listing; of an aggregator's, of any account.
    Ids,
}

/// What answers of an API left out.
#[derive(Debug, Default)]
pub(super) struct Unanswered {
    /// Listings that go on.
    pub goes_on: BTreeSet<Listing>,
    /// What of these tells whose and which they are.
    pub listed: Contents,
    /// Resources that are named and left out, by account and Region, if told, and type.
    pub left_out: BTreeSet<(Option<AccountId>, Option<Region>, Option<ResourceType>)>,
}

/// What a file could not give.
#[derive(Debug, Default)]
pub(super) struct MissedItems {
    found: BTreeMap<Missed, i64>,
}

impl MissedItems {
    /// Also what may be anybody's. `moment_ms` is the file's.
    pub fn of(
        name: &NameFacts,
        contents: &Contents,
        lost: &LostItems,
        unanswered: &Unanswered,
        moment_ms: i64,
    ) -> (Vec<Missed>, Vec<Missed>) {
        let (mut all, mut anybodys) = (MissedItems::default(), MissedItems::default());
        all.lost(name, contents, lost, moment_ms, &mut anybodys);
        all.unanswered(name, contents, lost, unanswered, moment_ms);
        (all.into_vec(), anybodys.into_vec())
    }

    fn into_vec(self) -> Vec<Missed> {
        let found = self.found.into_iter();
        found.map(|(missed, moment_ms)| Missed { moment_ms, ..missed }).collect()
    }

    /// An item that tells no account is of the one in the file's name, else of that of the other
    /// items. Where there are several such accounts it may be any's, and where there is not one
    /// anybody's.
    fn lost(
        &mut self,
        name: &NameFacts,
        contents: &Contents,
        lost: &LostItems,
        moment_ms: i64,
        anybodys: &mut MissedItems,
    ) {
        let is_known = are_owned(name, contents);
        let mut homes: BTreeSet<&AccountId> = name.account.iter().collect();
        if homes.is_empty() || contents.accounts.len() == 1 {
            homes.extend(&contents.accounts);
        }
        let home_region = name.region.as_ref().or(contents.home.as_ref());
        let home_region = home_region.or_else(|| only(&contents.regions));
        for (sort, captured_ms) in &lost.sorts {
            let accounts: Vec<&AccountId> = match sort.accounts.is_empty() {
                true => homes.iter().copied().collect(),
                false => sort.accounts.iter().collect(),
            };
            let moment_ms = captured_ms.unwrap_or(moment_ms);
            let moment_ms = match name.is_snapshot() {
                // It was still so then.
                true => moment_ms.max(name.moment_ms.unwrap_or(moment_ms)),
                false => moment_ms,
            };
            let missed = |account: Option<&AccountId>, place: &Place| Missed {
                account: account.cloned(),
                region: place.0.clone(),
                resource_type: place.1.clone(),
                what: sort.id.as_ref().map(|id| id.as_str().into()),
                cause: Cause::Item,
                moment_ms,
            };
            let places = places(sort.region.as_ref(), home_region, sort.resource_type.as_ref());
            for place in &places {
                accounts.iter().for_each(|account| self.note(missed(Some(*account), place)));
            }
            if sort.accounts.is_empty() && !is_known {
                let of_type = (sort.region.clone(), sort.resource_type.clone());
                anybodys.note(missed(None, &of_type));
            }
        }
    }

    fn unanswered(
        &mut self,
        name: &NameFacts,
        contents: &Contents,
        lost: &LostItems,
        unanswered: &Unanswered,
        moment_ms: i64,
    ) {
        let listed = &unanswered.listed;
        let mut accounts: BTreeSet<&AccountId> = contents.accounts.iter().collect();
        accounts.extend(lost.accounts().chain(&listed.accounts));
        let mut regions: BTreeSet<&Region> = contents.regions.iter().collect();
        regions.extend(&listed.regions);
        let mut types: BTreeSet<&ResourceType> = contents.types.iter().collect();
        types.extend(lost.types().into_iter().chain(&listed.types));
        let region =
            if accounts.is_empty() { name.region.as_ref() } else { only(&regions).copied() };
        // One whose items tell no account is its folder's, else anybody's.
        let accounts: Vec<Option<AccountId>> = match accounts.is_empty() {
            true => vec![name.account.clone()],
            false => accounts.into_iter().cloned().map(Some).collect(),
        };
        let everyone = |told: &Option<AccountId>| match told {
            Some(account) => vec![Some(account.clone())],
            None => accounts.clone(),
        };
        let mut note = |account, region: Option<&Region>, resource_type, cause| {
            let region = region.cloned();
            self.note(Missed { account, region, resource_type, what: None, cause, moment_ms });
        };
        for listing in &unanswered.goes_on {
            // The accounts and Regions of the answer's items are meant (semantics §11 row 37), and of a
            // query or a list of ids their types: one of several types may go on with any.
            let types = match listing {
                Listing::Items => vec![name.resource_type.clone()],
                Listing::Rows => {
                    vec![only(&types).copied().filter(|_| !lost.of_any_type()).cloned()]
                }
                Listing::Ids if listed.types.is_empty() => vec![None],
                Listing::Ids => listed.types.iter().cloned().map(Some).collect(),
            };
            for resource_type in types {
                for account in everyone(&None) {
                    note(account, region, resource_type.clone(), Cause::GoesOn);
                }
            }
        }
        for (account, told_region, resource_type) in &unanswered.left_out {
            let region = match account {
                Some(_) => told_region.as_ref(),
                None => told_region.as_ref().or(region),
            };
            for account in everyone(account) {
                note(account, region, resource_type.clone(), Cause::LeftOut);
            }
        }
    }

    /// Nobody reads types that have no name here.
    fn note(&mut self, missed: Missed) {
        if missed.resource_type.as_ref().is_some_and(|one| !ResourceType::NAMED.contains(one)) {
            return;
        }
        let moment_ms = missed.moment_ms;
        let known = self.found.entry(Missed { moment_ms: 0, ..missed }).or_insert(moment_ms);
        *known = moment_ms.max(*known);
    }
}

impl Missed {
    /// A file that cannot be read, by its name, which may be the key of an object in S3. `account` is
    /// told otherwise where the name tells none; without either it may be anybody's. Its moment is
    /// `now_ms` where the name tells none, or one too far ahead.
    pub fn file(name: &str, account: Option<&AccountId>, now_ms: i64) -> Vec<Missed> {
        let facts = NameFacts::of(name);
        let latest_ms = facts.latest_ms.filter(|latest_ms| !is_ahead(*latest_ms, now_ms));
        let account = facts.account.as_ref().or(account);
        let resource_type = facts.resource_type.as_ref();
        let places = match account {
            Some(_) => places(None, facts.region.as_ref(), resource_type),
            None => vec![(None, resource_type.cloned())],
        };
        let what = name.rsplit('/').next().filter(|what| !what.is_empty());
        let mut all = MissedItems::default();
        for (region, resource_type) in places {
            all.note(Missed {
                account: account.cloned(),
                region,
                resource_type,
                what: what.map(Into::into),
                cause: Cause::File,
                moment_ms: latest_ms.unwrap_or(now_ms),
            });
        }
        all.into_vec()
    }
}

/// Whether an item of the file that tells no account has one all the same.
pub(super) fn are_owned(name: &NameFacts, contents: &Contents) -> bool {
    name.account.is_some() || contents.accounts.len() == 1
}

/// A Region, if it is told, and a type.
type Place = (Option<Region>, Option<ResourceType>);

/// Where something of this type may be: in the Region it tells, else in that of its file, and where
/// `global` resources are.
fn places(
    told: Option<&Region>,
    home: Option<&Region>,
    resource_type: Option<&ResourceType>,
) -> Vec<Place> {
    let region = told.or(home).cloned();
    let may_be_global = told.is_none()
        && region.as_ref().is_some_and(|region| region.as_str() != Region::HOME_OF_GLOBAL);
    let mut places = vec![(region, resource_type.cloned())];
    if may_be_global {
        let global = GLOBAL.iter().filter(|one| resource_type.is_none_or(|known| known == *one));
        places.extend(global.map(|one| (Some(Region::home_of_global()), Some(one.clone()))));
    }
    places
}

fn only<T: Ord>(all: &BTreeSet<T>) -> Option<&T> {
    all.first().filter(|_| all.len() == 1)
}
