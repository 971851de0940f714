//! The organization file as people have it: the answers of AWS Organizations' calls side by side. What one
//! answer leaves out, another may tell: `Paths` of `ListAccounts` tell roots, units and parents, ARNs the
//! organization.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an organization object")]
pub(super) struct File {
    #[serde(default)]
    pub organization: Option<Head>,
    #[serde(default)]
    pub roots: Option<Vec<Root>>,
    #[serde(default)]
    pub organizational_units: Option<Vec<UnitRow>>,
    pub accounts: Vec<AccountRow>,
    #[serde(default)]
    pub default_administrator: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object with Id and ManagementAccountId")]
pub(super) struct Head {
    pub id: String,
    /// Today's name; the older one is read when it is absent. Answers of AWS carry both.
    #[serde(default)]
    pub management_account_id: Option<String>,
    #[serde(default)]
    pub master_account_id: Option<String>,
}

/// A root, or what `ListParents` answers.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a root object with Id")]
pub(super) struct Root {
    pub id: String,
}

#[derive(Deserialize)]
#[serde(
    rename_all = "PascalCase",
    expecting = "an organizational unit object with Id and ParentId"
)]
pub(super) struct UnitRow {
    pub id: String,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub parent_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an account object with Id, Status and ParentId")]
pub(super) struct AccountRow {
    pub id: String,
    #[serde(default)]
    pub name: Option<String>,
    /// AWS Organizations replaces `Status` by `State`, with the same words.
    #[serde(default)]
    pub status: Option<String>,
    #[serde(default)]
    pub state: Option<String>,
    #[serde(default)]
    pub parent_id: Option<String>,
    /// Of `ListAccounts`: the places from the organization down, `o-1/r-1/ou-1/ou-2/`.
    #[serde(default)]
    paths: Option<Vec<String>>,
    /// Of `ListParents`.
    #[serde(default)]
    parents: Option<Vec<Root>>,
    /// `arn:aws:organizations::MANAGEMENT:account/o-1/ID`
    #[serde(default)]
    arn: Option<String>,
}

impl File {
    /// Fills in what other members tell. What is told twice stays as its own member has it.
    pub fn complete(&mut self) {
        let paths: Vec<Vec<String>> = self.accounts.iter().filter_map(AccountRow::path).collect();
        for account in &mut self.accounts {
            if account.parent_id.is_none() {
                account.parent_id = account.parent();
            }
        }
        if self.organization.is_none() {
            self.organization = self.accounts.iter().find_map(AccountRow::organization);
        }
        let mut parents: BTreeMap<&str, &str> = BTreeMap::new();
        for pair in paths.iter().flat_map(|path| path.windows(2)) {
            if let [parent, unit] = pair {
                parents.entry(unit).or_insert(parent);
            }
        }
        self.complete_units(&parents);
        if self.roots.is_none() && !paths.is_empty() {
            let roots: BTreeSet<&String> = paths.iter().filter_map(|path| path.first()).collect();
            self.roots = Some(roots.into_iter().map(|id| Root { id: id.clone() }).collect());
        }
    }

    fn complete_units(&mut self, parents: &BTreeMap<&str, &str>) {
        let units = self.organizational_units.get_or_insert_default();
        for unit in units.iter_mut().filter(|unit| unit.parent_id.is_none()) {
            unit.parent_id = parents.get(unit.id.as_str()).map(|&parent| parent.to_owned());
        }
        let known: BTreeSet<String> = units.iter().map(|unit| unit.id.clone()).collect();
        for (unit, parent) in parents.iter().filter(|(unit, _)| !known.contains(**unit)) {
            units.push(UnitRow {
                id: (*unit).to_owned(),
                name: None,
                parent_id: Some((*parent).to_owned()),
            });
        }
    }
}

impl AccountRow {
    /// The root and the units that the account's only path leads through, from above.
    fn path(&self) -> Option<Vec<String>> {
        let [path] = self.paths.as_deref()? else { return None };
        let is_place = |part: &&str| part.starts_with("r-") || part.starts_with("ou-");
        let places: Vec<String> = path.split('/').filter(is_place).map(str::to_owned).collect();
        places.first().is_some_and(|root| root.starts_with("r-")).then_some(places)
    }

    fn parent(&self) -> Option<String> {
        match self.parents.as_deref() {
            Some([parent]) => Some(parent.id.clone()),
            _ => self.path().and_then(|path| path.last().cloned()),
        }
    }

    fn organization(&self) -> Option<Head> {
        let mut parts = self.arn.as_deref()?.splitn(6, ':').skip(4);
        let (management, resource) = (parts.next()?, parts.next()?);
        let mut resource = resource.split('/');
        let is_account = resource.next() == Some("account");
        let id = resource.next().filter(|id| is_account && id.starts_with("o-"))?;
        Some(Head {
            id: id.to_owned(),
            management_account_id: Some(management.to_owned()),
            master_account_id: None,
        })
    }
}
