//! What is true of one type of policy, whatever a policy of it demands: each type's own file says it
//! once, in its `FACTS`.

use serde::{Deserialize, Serialize};

use super::shape::{Node, Shape};
use super::{PolicyOption, Quotas, Refusal};
use crate::ident::ResourceType;

/// What is true of a type of policy. [`Facts::new`] has what most types have in common.
#[derive(Debug)]
pub struct Facts {
    /// `SecurityServiceType` of the model, as AWS writes it.
    pub name: &'static str,
    /// Resource types that a policy of the type may name: the headings of semantics §5.
    pub resource_types: &'static [ResourceType],
    /// The service whose issue says that the type is not judged.
    pub dependent_service: DependentService,
    /// Whether `GetViolationDetails` answers for the type (semantics §3.7). By default it does not.
    pub has_details: bool,
    /// Whether the default administrator alone may have policies of the type, whatever is granted.
    pub is_default_administrators: bool,
    /// Whether Firewall Manager makes security groups for policies of the type: they bear its id
    /// (semantics §11 row 57).
    pub makes_security_groups: bool,
    /// Whether it makes web ACLs for them, by their names (semantics §11 row 34).
    pub(super) makes_web_acls: bool,
    /// Whether of several policies of the type that are about a resource the oldest alone judges it
    /// (semantics §11 row 53).
    pub(super) oldest_judges: bool,
    /// How AWS refuses a resource type that a policy of the type may not name, before it says which;
    /// `None` where its words are not known (semantics §8.2).
    pub(super) unsupported_type: Option<&'static str>,
    /// The keys of ManagedServiceData.
    pub(super) data: &'static Shape,
    /// Whether a policy must have ManagedServiceData (semantics §2.2 PutPolicy item 5).
    pub(super) needs_data: bool,
    /// Whether a policy must name resource sets.
    pub(super) needs_resource_sets: bool,
    /// Whether `DeleteUnusedFMManagedResources` may be set.
    pub(super) cleans_up: bool,
    /// Whether a policy may be created with remediation on.
    pub(super) may_begin_remediating: bool,
    /// The type's member of `PolicyOption`.
    pub(super) option: Option<OptionMember>,
    /// What is asked of the data of a policy that is put, beyond what must hold for it to be read: a
    /// policy that was accepted once is read whatever is asked of later ones.
    pub(super) check_put: fn(&Node<'_>) -> Result<(), Refusal>,
    /// What an update may not change: the data before and after (semantics §6.7).
    pub(super) check_update: fn(&Node<'_>, &Node<'_>) -> Result<(), Refusal>,
}

impl Facts {
    /// A type of which nothing else is special.
    pub(super) const fn new(
        name: &'static str,
        resource_types: &'static [ResourceType],
        dependent_service: DependentService,
        data: &'static Shape,
    ) -> Facts {
        Facts {
            name,
            resource_types,
            dependent_service,
            has_details: false,
            is_default_administrators: false,
            makes_security_groups: false,
            makes_web_acls: false,
            oldest_judges: false,
            unsupported_type: None,
            data,
            needs_data: true,
            needs_resource_sets: false,
            cleans_up: true,
            may_begin_remediating: true,
            option: None,
            check_put: |_| Ok(()),
            check_update: |_, _| Ok(()),
        }
    }
}

/// A member of `PolicyOption`.
#[derive(Debug)]
pub(super) struct OptionMember {
    pub name: &'static str,
    pub is_set: fn(&PolicyOption) -> bool,
}

/// Something in a policy's data that a quota limits.
pub(super) struct Count {
    pub what: &'static str,
    pub count: usize,
    pub max: fn(&Quotas) -> u32,
}

/// `DependentServiceName` of the model.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum DependentService {
    #[serde(rename = "AWSCONFIG")]
    Config,
    #[serde(rename = "AWSWAF")]
    Waf,
    #[serde(rename = "AWSSHIELD_ADVANCED")]
    ShieldAdvanced,
    #[serde(rename = "AWSVPC")]
    Vpc,
}
