//! Who calls, and what that account is to the organization.

use palisade_core::ident::{AccountId, Region};
use palisade_store::{KeyRecord, KeyRole};
use palisade_wire::{ErrorKind, Fault};

use crate::view::ControlView;

/// Who signed a request, and for which Region.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Caller {
    /// The account that the key acts as; `None` is the operator.
    pub account: Option<AccountId>,
    /// The Region of the credential scope.
    pub region: Region,
    /// The key that signed; with open authentication what the request calls its key, if anything.
    pub access_key_id: Option<String>,
    /// What that key is called.
    pub key_name: Option<String>,
    /// What the key lets its holder do of what the account, or the operator, may.
    pub role: KeyRole,
}

impl Caller {
    /// Whoever has this key, in a Region.
    pub(crate) fn of(key: KeyRecord, region: Region) -> Caller {
        Caller {
            account: key.account,
            region,
            access_key_id: Some(key.access_key_id),
            key_name: key.name,
            role: key.role,
        }
    }

    /// Somebody who says to be this account under open authentication; `None` is the operator.
    pub(crate) fn unsigned(
        account: Option<AccountId>,
        region: Region,
        access_key_id: Option<String>,
    ) -> Caller {
        Caller { account, region, access_key_id, key_name: None, role: KeyRole::Full }
    }

    /// Whether the caller may change what its account, or the operator, may.
    pub fn may_change(&self) -> bool {
        match self.role {
            KeyRole::Full => true,
            KeyRole::Reader => false,
        }
    }

    /// Lets those pass who may change something.
    ///
    /// # Errors
    /// AccessDeniedException for a reader.
    pub(crate) fn must_change(&self) -> Result<(), Fault> {
        match self.may_change() {
            true => Ok(()),
            false => Err(Fault::new(
                ErrorKind::AccessDenied,
                format!(
                    "access key `{}` is a reader's: it sees everything that its caller may see and changes \
                     nothing; use a key that was made without `--role reader`",
                    self.access_key_id.as_deref().unwrap_or_default()
                ),
            )),
        }
    }

    /// Whether this is the operator, who owns Palisade's own endpoints.
    pub fn is_operator(&self) -> bool {
        self.account.is_none()
    }

    /// The account as which the caller takes part in Firewall Manager: its own, and for the
    /// operator the default administrator, or the management account while there is none. `None`
    /// for the operator before an organization was applied.
    pub fn acting(&self, view: &ControlView) -> Option<AccountId> {
        self.account
            .clone()
            .or_else(|| view.default_administrator().cloned())
            .or_else(|| view.organization().map(|organization| organization.management.clone()))
    }
}

/// What an account is to the organization at one revision of the control state.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Standing {
    /// The account acted as.
    pub account: AccountId,
    /// The Region of the call.
    pub region: Region,
    /// It is the organization's management account.
    pub management: bool,
    /// It is a member, the management account included.
    pub member: bool,
    /// It is an administrator: `Some(true)` is the default one.
    pub administrator: Option<bool>,
}

impl Standing {
    /// Looks an account up.
    pub fn of(account: AccountId, region: Region, view: &ControlView) -> Self {
        let organization = view.organization();
        Standing {
            management: organization.is_some_and(|known| known.management == account),
            member: organization.is_some_and(|known| known.accounts.contains_key(&account)),
            administrator: view.administrator(&account).map(|known| known.default),
            account,
            region,
        }
    }

    /// Whether an object of this owner and Region is the caller's own; others do not exist for it.
    pub fn owns(&self, owner: &AccountId, region: &Region) -> bool {
        self.account == *owner && self.region == *region
    }
}
