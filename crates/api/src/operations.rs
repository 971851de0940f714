//! The one table of all 42 operations: what each is, who may call it, and what answers it.

use palisade_wire::{
    ErrorKind, Fault, Input, Operation, Protocol, Response, Says, decode, respond_as,
};

use crate::app::App;
use crate::call::Call;
use crate::metrics::Stage;
pub use crate::row::{Callers, Denial, Effect, Family, Row};
use crate::verify::Authentic;
use crate::{
    administrators, compliance, lists, notification, policies, protection, resource_sets, tags,
    third_party, violations,
};

/// Decodes, acts and encodes.
pub type Handler = fn(&Call<'_>, &Frame) -> Result<Response, Fault>;

/// The body of a request and the protocol it is written in.
#[derive(Clone, Debug)]
pub struct Frame {
    /// How it is written.
    pub protocol: Protocol,
    /// What is written.
    pub body: axum::body::Bytes,
}

/// Makes the table and its handlers. One row a line: name, family, effect, callers, denial, Region, and
/// what answers it.
macro_rules! rows {
    ($($name:ident $family:ident $effect:ident $callers:ident $denial:ident $region:ident => $handler:path;)+) => {
        /// Every operation, by name.
        pub static OPERATIONS: &[Row] = &[$(Row {
            operation: Operation::$name,
            family: Family::$family,
            effect: Effect::$effect,
            callers: Callers::$callers,
            denial: Denial::$denial,
            home_region_only: rows!(@region $region),
        },)+];

        /// What answers an operation.
        fn handler(operation: Operation) -> Handler {
            match operation {
                $(Operation::$name => |call, frame| run(call, frame, $handler),)+
            }
        }
    };
    (@region home) => { true };
    (@region any) => { false };
}

rows! {
    AssociateAdminAccount Administrators Writes Unchecked OnlyManagement home => administrators::associate;
    AssociateThirdPartyFirewall ThirdPartyFirewalls Writes DefaultAdministrator NotDelegated any => third_party::associate;
    BatchAssociateResource ResourceSets Writes Administrator NotDelegated any => resource_sets::associate;
    BatchDisassociateResource ResourceSets Writes Administrator NotDelegated any => resource_sets::disassociate;
    DeleteAppsList Lists Writes Administrator NotDelegated any => lists::delete_apps;
    DeleteNotificationChannel NotificationChannel Writes Administrator NotDelegated any => notification::delete;
    DeletePolicy Policies Writes Administrator NotDelegated any => policies::delete;
    DeleteProtocolsList Lists Writes Administrator NotDelegated any => lists::delete_protocols;
    DeleteResourceSet ResourceSets Writes Administrator NotDelegated any => resource_sets::delete;
    DisassociateAdminAccount Administrators Writes Administrator NotDelegated home => administrators::disassociate;
    DisassociateThirdPartyFirewall ThirdPartyFirewalls Writes DefaultAdministrator NotDelegated any => third_party::disassociate;
    GetAdminAccount Administrators Reads Unchecked NotDelegated home => administrators::get;
    GetAdminScope Administrators Reads Unchecked OnlyAdministrators home => administrators::get_scope;
    GetAppsList Lists Reads Administrator OnlyAdministrators any => lists::get_apps;
    GetComplianceDetail Compliance Reads Administrator OnlyAdministrators any => compliance::detail;
    GetNotificationChannel NotificationChannel Reads Administrator OnlyAdministrators any => notification::get;
    GetPolicy Policies Reads Administrator OnlyAdministrators any => policies::get;
    GetProtectionStatus Compliance Reads Administrator OnlyAdministrators any => protection::status;
    GetProtocolsList Lists Reads Administrator OnlyAdministrators any => lists::get_protocols;
    GetResourceSet ResourceSets Reads Administrator OnlyAdministrators any => resource_sets::get;
    GetThirdPartyFirewallAssociationStatus ThirdPartyFirewalls Reads DefaultAdministrator OnlyAdministrators any => third_party::status;
    GetViolationDetails Compliance Reads Administrator OnlyAdministrators any => violations::details;
    ListAdminAccountsForOrganization Administrators Reads Management OnlyManagement home => administrators::list;
    ListAdminsManagingAccount Administrators Reads Member OnlyMembers any => administrators::list_managing;
    ListAppsLists Lists Reads Administrator OnlyAdministrators any => lists::list_apps;
    ListComplianceStatus Compliance Reads Administrator OnlyAdministrators any => compliance::list;
    ListDiscoveredResources ResourceSets Reads Administrator OnlyAdministrators any => resource_sets::list_discovered;
    ListMemberAccounts Administrators Reads AdministratorOrManagement OnlyAdministrators any => administrators::list_members;
    ListPolicies Policies Reads Administrator OnlyAdministrators any => policies::list;
    ListProtocolsLists Lists Reads Administrator OnlyAdministrators any => lists::list_protocols;
    ListResourceSetResources ResourceSets Reads Administrator OnlyAdministrators any => resource_sets::list_resources;
    ListResourceSets ResourceSets Reads Administrator OnlyAdministrators any => resource_sets::list;
    ListTagsForResource Tags Reads Administrator OnlyAdministrators any => tags::list;
    ListThirdPartyFirewallFirewallPolicies ThirdPartyFirewalls Reads DefaultAdministrator OnlyAdministrators any => third_party::list_policies;
    PutAdminAccount Administrators Writes Management OnlyManagement home => administrators::put;
    PutAppsList Lists Writes Administrator NotDelegated any => lists::put_apps;
    PutNotificationChannel NotificationChannel Writes Administrator NotDelegated any => notification::put;
    PutPolicy Policies Writes Administrator NotDelegated any => policies::put;
    PutProtocolsList Lists Writes Administrator NotDelegated any => lists::put_protocols;
    PutResourceSet ResourceSets Writes Administrator NotDelegated any => resource_sets::put;
    TagResource Tags Writes Administrator NotDelegated any => tags::tag;
    UntagResource Tags Writes Administrator NotDelegated any => tags::untag;
}

/// The row of an operation.
pub fn row(operation: Operation) -> Option<&'static Row> {
    OPERATIONS.iter().find(|row| row.operation == operation)
}

/// Answers one authentic request of the operation in `row`. Blocks on the store.
///
/// # Errors
/// What the operation answers instead of its output.
pub fn answer(app: &App, row: &Row, request: &Authentic<Frame>) -> Result<Response, Fault> {
    if row.effect == Effect::Writes {
        request.caller().must_change()?;
    }
    let call = Call::new(app, row, request);
    handler(row.operation)(&call, request.body())
}

/// The operations as a Markdown table: what docs/operations.md shows and `cargo xtask matrix` prints.
pub fn matrix() -> String {
    let mut text = String::from(
        "| Operation | Family | Effect | Who may call | Where |\n|---|---|---|---|---|\n",
    );
    for row in OPERATIONS {
        let place = if row.home_region_only { "home Region" } else { "any Region" };
        let line = [
            row.operation.name(),
            row.family.title(),
            row.effect.title(),
            row.callers.title(row.operation),
            place,
        ];
        text.push_str(&format!("| {} |\n", line.join(" | ")));
    }
    text
}

/// The three steps of a handler: decode, act, encode.
fn run<I: Input, S: Says<I::Output>>(
    call: &Call<'_>,
    frame: &Frame,
    act: fn(&Call<'_>, I) -> Result<S, Fault>,
) -> Result<Response, Fault> {
    let metrics = &call.app.metrics;
    let input = metrics
        .timed(Stage::Decode, || decode::<I>(frame.protocol, &frame.body))
        .map_err(|f| known_type(call, f))?;
    let output = metrics.timed(Stage::Act, || act(call, input))?;
    Ok(metrics.timed(Stage::Encode, || respond_as::<I::Output, S>(frame.protocol, &output)))
}

/// The input of a call in JSON, refused as the operation refuses it.
///
/// # Errors
/// What is malformed, or breaks a constraint of the model.
pub(crate) fn input<I: Input>(call: &Call<'_>, json: &[u8]) -> Result<I, Fault> {
    decode::<I>(Protocol::Json, json).map_err(|fault| known_type(call, fault))
}

/// A policy type that is none of the model's is InvalidTypeException where the operation has it
/// (semantics §8.1), rather than a broken constraint among others.
fn known_type(call: &Call<'_>, fault: Fault) -> Fault {
    const PLACE: &str = "at 'policy.securityServicePolicyData.type' failed to satisfy constraint";
    let modelled = call.operation().errors().contains(&ErrorKind::InvalidType);
    match modelled && fault.message.contains(PLACE) {
        true => Fault { kind: ErrorKind::InvalidType, ..fault },
        false => fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_of_the_model_has_one_row() {
        let rows: Vec<&str> = OPERATIONS.iter().map(|row| row.operation.name()).collect();
        let model: Vec<&str> = Operation::ALL.iter().map(|operation| operation.name()).collect();
        assert_eq!(rows, model);
        assert_eq!(rows.len(), 42);
    }

    #[test]
    fn names_tell_whether_an_operation_writes() {
        for row in OPERATIONS {
            let name = row.operation.name();
            let reads = name.starts_with("Get") || name.starts_with("List");
            assert_eq!(row.effect == Effect::Reads, reads, "{name}");
        }
    }
}
