//! What is true of an operation, whatever answers it: who may call it, and how others are refused.

use palisade_wire::Operation;

/// One operation.
#[derive(Debug)]
pub struct Row {
    /// Which.
    pub operation: Operation,
    /// What it is about.
    pub family: Family,
    /// Whether it changes anything.
    pub effect: Effect,
    /// Who may call it.
    pub callers: Callers,
    /// How others are refused.
    pub denial: Denial,
    /// It is answered in the partition's home Region alone (semantics §1.4).
    pub home_region_only: bool,
}

/// What an operation is about.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Family {
    /// Administrators and members.
    Administrators,
    /// Policies.
    Policies,
    /// Compliance and violations.
    Compliance,
    /// Applications and protocols lists.
    Lists,
    /// Resource sets.
    ResourceSets,
    /// The notification channel.
    NotificationChannel,
    /// Tags of policies, lists and resource sets.
    Tags,
    /// Third-party firewalls.
    ThirdPartyFirewalls,
}

/// Whether an operation changes anything.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Effect {
    /// No.
    Reads,
    /// Yes.
    Writes,
}

/// Who may call (semantics §1.7).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Callers {
    /// The management account.
    Management,
    /// Any administrator.
    Administrator,
    /// The default administrator.
    DefaultAdministrator,
    /// Any administrator, and the management account.
    AdministratorOrManagement,
    /// Any account of the organization.
    Member,
    /// The handler says, since the answer depends on more than the caller.
    Unchecked,
}

/// In which words a caller is refused (semantics §8.2, clients.md).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Denial {
    /// `Operation … is only available to AWS Firewall Manager Administrators.`
    OnlyAdministrators,
    /// `Account: … is not currently delegated by AWS FM.`
    NotDelegated,
    /// Only the management account may.
    OnlyManagement,
    /// Only accounts of the organization may.
    OnlyMembers,
}

impl Family {
    /// What readers call it.
    pub const fn title(self) -> &'static str {
        match self {
            Family::Administrators => "administrators",
            Family::Policies => "policies",
            Family::Compliance => "compliance",
            Family::Lists => "lists",
            Family::ResourceSets => "resource sets",
            Family::NotificationChannel => "notification channel",
            Family::Tags => "tags",
            Family::ThirdPartyFirewalls => "third-party firewalls",
        }
    }

    /// Whether what is changed lies within an administrator's Regions (semantics §1.3).
    pub(crate) const fn is_regional(self) -> bool {
        match self {
            Family::Administrators | Family::Compliance => false,
            Family::Policies
            | Family::Lists
            | Family::ResourceSets
            | Family::NotificationChannel
            | Family::Tags
            | Family::ThirdPartyFirewalls => true,
        }
    }
}

impl Effect {
    /// What readers call it.
    pub const fn title(self) -> &'static str {
        match self {
            Effect::Reads => "reads",
            Effect::Writes => "writes",
        }
    }
}

impl Callers {
    /// What readers call them; an operation whose handler decides has words of its own.
    pub(crate) fn title(self, operation: Operation) -> &'static str {
        match self {
            Callers::Management => "management account",
            Callers::Administrator => "administrators",
            Callers::DefaultAdministrator => "default administrator",
            Callers::AdministratorOrManagement => "administrators, management account",
            Callers::Member => "every account of the organization",
            Callers::Unchecked => match operation {
                Operation::AssociateAdminAccount => "management account",
                Operation::GetAdminScope => "management account, the administrator itself",
                _ => "administrators, management account",
            },
        }
    }
}
