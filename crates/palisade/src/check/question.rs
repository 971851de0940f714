//! What is asked: which policies, whose accounts, which Regions.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use palisade_core::evaluate::{Fact, Reference, References, references};
use palisade_core::ident::{AccountId, PolicyId, Region, ResourceSetId, ResourceType};
use palisade_core::inventory::Assumed;
use palisade_core::organization::Organization;
use palisade_core::policy::{self, Document, Elder, Identity, Policy, PolicyFile, Purpose, Quotas};
use palisade_core::scope::in_scope_accounts;
use palisade_wire::Protocol;
use palisade_wire::shapes::PutPolicyRequest;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::args::{self, Check};
use crate::failure::{Failure, unreadable};
use crate::policies::policy_files;
use crate::terminal::warn;

use super::resource_sets;

const HOUR_MS: i64 = 60 * 60 * 1_000;

/// The question that one run answers.
pub struct Question {
    /// Whose accounts.
    pub organization: Organization,
    /// The policies in the order given, as if they were of us-east-1.
    pub policies: Vec<Policy>,
    /// Regions asked for; empty: every one found.
    pub regions: BTreeSet<Region>,
    /// Types that count as recorded.
    pub assumed: Assumed,
    /// Whether violators are wanted one by one.
    pub violators: bool,
    /// By whose ids Firewall Manager's own groups are told (semantics §11 row 57): the policies given
    /// that carry their id, and those that the setting names.
    pub common_policies: BTreeSet<PolicyId>,
    /// ARNs of the resources of resource sets (semantics §11 row 59).
    pub resource_sets: BTreeMap<ResourceSetId, BTreeSet<Box<str>>>,
    /// Age at which inventory counts as stale, milliseconds; `None`: it never does.
    pub stale_after_ms: Option<i64>,
    /// Ids that the policy files carry, rather than ones made up here.
    given: BTreeSet<PolicyId>,
}

impl Question {
    /// Reads the files that say what is wanted.
    pub fn read(args: &Check) -> Result<Question, Failure> {
        let organization = organization(&args.organization)?;
        let owner = owner(args.admin.as_ref(), &organization)?;
        let mut policies = Vec::new();
        let mut given = BTreeSet::new();
        for path in policy_files(&args.policies)? {
            let text = std::fs::read(&path).map_err(|error| unreadable(&path, error))?;
            let wrong = |why: &dyn std::fmt::Display| {
                Failure::Usage(format!("policy `{}`: {why}", path.display()))
            };
            let file = PolicyFile::parse(&text).map_err(|refusal| wrong(&refusal))?;
            constrained(&file).map_err(|why| wrong(&why))?;
            for remark in policy::remarks(&file.policy) {
                warn(format_args!("policy `{}`: {remark}", path.display()));
            }
            let home = Region::home_of_global();
            policy::admit(&file.policy, &organization, &home, &Quotas::default(), Purpose::Judge)
                .map_err(|refusal| wrong(&refusal))?;
            if file.policy.policy_id.is_none()
                && let Err(refusal) = policy::admit(
                    &file.policy,
                    &organization,
                    &home,
                    &Quotas::default(),
                    Purpose::Create,
                )
            {
                warn(format_args!(
                    "policy `{}`: PutPolicy refuses to create it: {refusal}",
                    path.display()
                ));
            }
            let id = id(&file.policy, &mut given).map_err(|error| wrong(&error))?;
            let identity = Identity {
                id,
                owner: owner.clone(),
                region: home,
                revision: 1,
                former_names: earlier(&args.former_names, &file.policy.policy_name),
            };
            policies
                .push(policy::parse(&file.policy, identity).map_err(|refusal| wrong(&refusal))?);
        }
        let rivals = policy::rivals(&policies);
        for (policy, rivals) in policies.iter_mut().zip(rivals) {
            policy.rival_names = rivals;
        }
        // The order given stands for that of creation (semantics §11 row 64).
        let elders = policy::elders(&policies, |policy| {
            in_scope_accounts(&policy.scope, &organization).into_iter().cloned().collect()
        });
        for (policy, elders) in policies.iter_mut().zip(elders) {
            policy.elders = elders;
            let what = if policy.rule.resource_sets().is_empty() { "subnets" } else { "firewalls" };
            for elder in older_in_scope(policy, &organization) {
                warn(format_args!(
                    "policy `{}`: {what} in the scope of policy `{elder}`, which is given before it, are judged by that one and out of scope here",
                    policy.name
                ));
            }
        }
        let is_used = |given: &&String| {
            policies.iter().any(|policy: &Policy| earlier_of(given, &policy.name).is_some())
        };
        if let Some(stray) = args.former_names.iter().find(|given| !is_used(given)) {
            return Err(Failure::Usage(format!(
                "--former-name `{stray}` is of no policy given; write it as `NAME=EARLIER`, with the policy's name of now first"
            )));
        }
        let is_common = |policy: &&Policy| policy.policy_type().facts().makes_security_groups;
        let common = policies.iter().filter(is_common).map(|policy| policy.id.clone());
        let common_policies = common.chain(args.fms_policies.iter().cloned()).collect();
        Ok(Question {
            organization,
            policies,
            regions: args.regions.iter().cloned().collect(),
            assumed: args::assumed(&args.assume_recorded)?,
            violators: args.violators,
            common_policies,
            resource_sets: resource_sets::read(&args.resource_sets)?,
            stale_after_ms: args
                .stale_after
                .filter(|hours| *hours > 0)
                .map(|hours| i64::from(hours).saturating_mul(HOUR_MS)),
            given,
        })
    }

    /// The policies that judge a Region, with their place in the order given. A policy on
    /// CloudFront lives in us-east-1 alone (semantics §1.4); a file has no Region, so every other
    /// policy judges each.
    pub fn policies_in(&self, region: &Region) -> Vec<(usize, Arc<Policy>)> {
        if !self.regions.is_empty() && !self.regions.contains(region) {
            return Vec::new();
        }
        let home = region == &Region::home_of_global();
        let here = self.policies.iter().enumerate();
        here.filter(|(_, policy)| home || !is_global(policy))
            .map(|(at, policy)| (at, Arc::new(Policy { region: region.clone(), ..policy.clone() })))
            .collect()
    }

    /// Facts with what the policy's resource sets hold, as far as that was given: their ARNs tell the
    /// Region, a file of them does not.
    pub fn with_resource_sets<'f>(
        &self,
        policy: &Policy,
        facts: &'f References,
    ) -> Cow<'f, References> {
        if policy.rule.resource_sets().is_empty() {
            return Cow::Borrowed(facts);
        }
        let mut facts = facts.clone();
        for reference in references(policy) {
            let Reference::ResourceSet { id, .. } = &reference else { continue };
            if let Some(arns) = self.resource_sets.get(id) {
                let _: Option<Fact> = facts.insert(reference, Fact::Resources(arns.clone()));
            }
        }
        Cow::Owned(facts)
    }

    /// The Regions to judge when items were found in `found`: those asked for, else those found and,
    /// for a policy about a global type, its home whether anything of it was found or not.
    pub fn judged(&self, found: &BTreeSet<Region>) -> BTreeSet<Region> {
        if !self.regions.is_empty() {
            return self.regions.clone();
        }
        let mut judged = found.clone();
        if self.policies.iter().any(is_global) {
            judged.insert(Region::home_of_global());
        }
        judged
    }

    /// Whether the policy at this place is judged in a Region when items were found in `found`.
    /// `global` items in another Region's file do not make their home a Region to judge
    /// (semantics §10 row 4).
    pub fn judges(&self, at: usize, region: &Region, found: &BTreeSet<Region>) -> bool {
        self.regions.contains(region)
            || found.contains(region)
            || self.policies.get(at).is_some_and(is_global)
    }

    /// Whether any policy is about any account at all.
    pub fn is_about_somebody(&self) -> bool {
        self.policies
            .iter()
            .any(|policy| !in_scope_accounts(&policy.scope, &self.organization).is_empty())
    }

    /// Whether some policy's file gives its id.
    pub fn has_given_ids(&self) -> bool {
        self.policies.iter().any(|policy| self.given.contains(&policy.id))
    }

    /// The id that the policy's file carries.
    pub fn given_id(&self, policy: &Policy) -> Option<String> {
        self.given.contains(&policy.id).then(|| policy.id.to_string())
    }

    /// The account's name in the organization.
    pub fn account_name(&self, account: &AccountId) -> Option<String> {
        self.organization.accounts.get(account).map(|account| account.name.to_string())
    }

    /// The organizational units above the account, from the root down.
    pub fn unit_path(&self, account: &AccountId) -> Option<String> {
        self.organization.unit_path(account)
    }
}

/// Names of the older policies that hold resources of accounts in scope (semantics §11 row 53).
pub fn older_in_scope<'p>(policy: &'p Policy, organization: &Organization) -> Vec<&'p str> {
    let accounts = in_scope_accounts(&policy.scope, organization);
    let sets = policy.rule.resource_sets();
    let shares = |elder: &Elder| {
        elder.resource_sets.is_empty() || elder.resource_sets.iter().any(|set| sets.contains(set))
    };
    let holds =
        |elder: &&Elder| shares(elder) && accounts.iter().any(|account| elder.has_account(account));
    policy.elders.iter().filter(holds).map(|elder| &*elder.name).collect()
}

fn is_global(policy: &Policy) -> bool {
    policy.scope.lists(&ResourceType::CLOUDFRONT_DISTRIBUTION)
}

fn organization(path: &Path) -> Result<Organization, Failure> {
    let text = std::fs::read(path).map_err(|error| unreadable(path, error))?;
    Organization::parse(&text)
        .map_err(|error| Failure::Usage(format!("organization `{}`: {error}", path.display())))
}

fn owner(asked: Option<&AccountId>, organization: &Organization) -> Result<AccountId, Failure> {
    let owner = asked
        .or(organization.default_administrator.as_ref())
        .unwrap_or(&organization.management)
        .clone();
    if !organization.accounts.contains_key(&owner) {
        return Err(Failure::Usage(format!(
            "administrator `{owner}` is not an account of the organization; give one that is with --admin"
        )));
    }
    Ok(owner)
}

/// The earlier names that a policy was given, in order.
fn earlier(given: &[String], policy_name: &str) -> Vec<Box<str>> {
    given.iter().filter_map(|given| earlier_of(given, policy_name)).map(Into::into).collect()
}

/// Of `NAME=EARLIER` the second, if the first is the policy's name; either may have a `=` in it.
fn earlier_of<'a>(given: &'a str, policy_name: &str) -> Option<&'a str> {
    given.strip_prefix(policy_name)?.strip_prefix('=').filter(|earlier| !earlier.is_empty())
}

/// Refuses what PutPolicy refuses by the constraints of its model, such as a ManagedServiceData with line
/// breaks.
fn constrained(file: &PolicyFile) -> Result<(), String> {
    let mut request = json!({"Policy": file.policy});
    if let (Some(request), false) = (request.as_object_mut(), file.tags.is_empty()) {
        request.insert("TagList".to_owned(), json!(file.tags));
    }
    let decoded =
        palisade_wire::decode::<PutPolicyRequest>(Protocol::Json, request.to_string().as_bytes());
    decoded.map(|_| ()).map_err(|fault| fault.to_string())
}

/// The id in the document, else one made of its content, so that a run repeats itself.
fn id(document: &Document, given: &mut BTreeSet<PolicyId>) -> Result<PolicyId, String> {
    if let Some(id) = &document.policy_id {
        let id = PolicyId::try_from(id.as_str()).map_err(|error| error.to_string())?;
        given.insert(id.clone());
        return Ok(id);
    }
    let content = serde_json::to_vec(document).map_err(|error| error.to_string())?;
    let hash = Sha256::digest(&content);
    let mut text: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    for at in [8, 13, 18, 23] {
        text.insert(at, '-');
    }
    PolicyId::try_from(text).map_err(|error| error.to_string())
}
