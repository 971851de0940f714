//! Tags on policies, lists and resource sets themselves (semantics §2.7). `Policy.ResourceTags` is something else.

use std::collections::BTreeMap;
use std::sync::Arc;

use palisade_core::ident::ListId;
use palisade_store::{ControlChange, ListContent, ListRecord, PolicyRecord, ResourceSetRecord};
use palisade_wire::shapes::{
    ListTagsForResourceRequest, ListTagsForResourceResponse, Tag, TagResourceRequest,
    TagResourceResponse, UntagResourceRequest, UntagResourceResponse,
};
use palisade_wire::{ErrorKind, Fault};

use crate::call::Call;
use crate::caller::Standing;
use crate::view::ControlView;
use crate::{lists, mint, policies, resource_sets, tag_list};

/// A tagged object of the caller.
enum Tagged<'v> {
    Policy(&'v Arc<PolicyRecord>),
    List(&'v Arc<ListRecord>),
    ResourceSet(&'v Arc<ResourceSetRecord>),
}

impl Tagged<'_> {
    fn tags(&self) -> &BTreeMap<String, String> {
        match self {
            Tagged::Policy(record) => &record.tags,
            Tagged::List(record) => &record.tags,
            Tagged::ResourceSet(record) => &record.tags,
        }
    }

    /// Tags of a policy that is out of the caller's AdminScope stay as they are; in a Region out of
    /// it nothing is changed at all.
    fn is_changeable(&self, standing: &Standing, view: &ControlView) -> Result<(), Fault> {
        match self {
            Tagged::Policy(record) => {
                policies::changeable(standing, view, record.id.as_str()).map(|_| ())
            }
            Tagged::List(_) | Tagged::ResourceSet(_) => Ok(()),
        }
    }

    /// The change that gives the object these tags, and none of its content.
    fn with(&self, tags: BTreeMap<String, String>) -> ControlChange {
        match self {
            Tagged::Policy(record) => ControlChange::PutPolicy(Arc::new(PolicyRecord {
                tags,
                ..PolicyRecord::clone(record)
            })),
            Tagged::List(record) => {
                ControlChange::PutList(Arc::new(ListRecord { tags, ..ListRecord::clone(record) }))
            }
            Tagged::ResourceSet(record) => {
                let record = ResourceSetRecord { tags, ..ResourceSetRecord::clone(record) };
                ControlChange::PutResourceSet(Arc::new(record))
            }
        }
    }
}

/// `TagResource`: adds tags, or overwrites those of the same key.
///
/// # Errors
/// ResourceNotFoundException for an ARN that is not of the caller's policies, lists or resource sets,
/// InvalidOperationException for an AWS-managed list, LimitExceededException above the quota.
pub fn tag(call: &Call<'_>, input: TagResourceRequest) -> Result<TagResourceResponse, Fault> {
    let added = tag_list::map(call, input.tag_list)?;
    call.decide(|standing, view| {
        let tagged = find(call, standing, view, &input.resource_arn)?;
        tagged.is_changeable(standing, view)?;
        let mut tags = tagged.tags().clone();
        tags.extend(added.clone());
        Ok((change(&tagged, tag_list::within_quota(call, tags)?), TagResourceResponse {}))
    })
}

/// `UntagResource`: removes tags; unknown keys are ignored.
///
/// # Errors
/// As [`tag`].
pub fn untag(call: &Call<'_>, input: UntagResourceRequest) -> Result<UntagResourceResponse, Fault> {
    call.decide(|standing, view| {
        let tagged = find(call, standing, view, &input.resource_arn)?;
        tagged.is_changeable(standing, view)?;
        let mut tags = tagged.tags().clone();
        tags.retain(|key, _| !input.tag_keys.contains(key));
        Ok((change(&tagged, tags), UntagResourceResponse {}))
    })
}

/// Nothing to commit when the tags stay what they are.
fn change(tagged: &Tagged<'_>, tags: BTreeMap<String, String>) -> Vec<ControlChange> {
    if *tagged.tags() == tags { Vec::new() } else { vec![tagged.with(tags)] }
}

/// `ListTagsForResource`, ascending by key.
///
/// # Errors
/// ResourceNotFoundException for an ARN that is not of the caller's policies, lists or resource sets.
pub fn list(
    call: &Call<'_>,
    input: ListTagsForResourceRequest,
) -> Result<ListTagsForResourceResponse, Fault> {
    let reading = call.read()?;
    let tagged = find(call, &reading.standing, &reading.view, &input.resource_arn)?;
    let tag = |(key, value): (&String, &String)| Tag { key: key.clone(), value: value.clone() };
    Ok(ListTagsForResourceResponse { tag_list: Some(tagged.tags().iter().map(tag).collect()) })
}

/// The caller's object of this ARN.
fn find<'v>(
    call: &Call<'_>,
    standing: &Standing,
    view: &'v ControlView,
    arn: &str,
) -> Result<Tagged<'v>, Fault> {
    let unknown = || {
        Fault::new(
            ErrorKind::ResourceNotFound,
            format!(
                "`{arn}` is not the ARN of a policy, list or resource set of this account and Region"
            ),
        )
    };
    let (_, id) = arn.rsplit_once('/').ok_or_else(unknown)?;
    let partition = &call.app.settings.partition;
    if let Ok(record) = policies::own(standing, view, id) {
        let own = mint::policy_arn(partition, &record.region, &record.owner, &record.id);
        return if own == arn { Ok(Tagged::Policy(record)) } else { Err(unknown()) };
    }
    if let Ok(record) = resource_sets::own(standing, view, id) {
        let own = mint::resource_set_arn(partition, &record.region, &record.owner, &record.id);
        return if own == arn { Ok(Tagged::ResourceSet(record)) } else { Err(unknown()) };
    }
    let id = ListId::try_from(id).map_err(|_| unknown())?;
    let record = view
        .list_record(&id)
        .filter(|record| standing.owns(&record.owner, &record.region))
        .filter(|record| {
            arn == mint::list_arn(
                partition,
                &record.region,
                &record.owner,
                kind(record),
                &record.id,
            )
        });
    match record {
        Some(record) => Ok(Tagged::List(record)),
        None if lists::is_default(&id) => Err(Fault::new(
            ErrorKind::InvalidOperation,
            format!("list `{id}` is managed by AWS and cannot be tagged"),
        )),
        None => Err(unknown()),
    }
}

fn kind(record: &ListRecord) -> &'static str {
    match record.content {
        ListContent::Apps(_) => mint::APPS_ARN,
        ListContent::Protocols(_) => mint::PROTOCOLS_ARN,
    }
}
