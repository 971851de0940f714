//! What exists: bytes of AWS Config deliveries become typed, compact items; items of one
//! (account, Region) become a [`Shard`] that evaluators read.
//!
//! ```text
//! bytes ─ split ─► one item's raw text ─ read ─► Observation ─ merge ─► held item ─► Shard
//!           └ message ─ envelope ─┘                              └ snapshot: what is gone
//! ```

mod age;
mod balancer;
mod body;
mod build;
mod bystander;
mod calls;
mod classic_acl;
mod collection;
mod cpu;
mod decode;
mod delivery;
mod delivery_error;
mod dns_association;
mod encode;
mod encoded;
mod envelope;
mod firewall;
mod foreign;
mod interface;
mod item;
mod layout;
mod limits;
mod members;
mod merge;
mod missed;
mod name;
mod network_acl;
mod older_layout;
mod opaque;
mod outline;
mod pairs;
mod read;
mod region;
mod route_table;
mod rule_group;
mod salvage;
mod shard;
mod snapshot;
mod split;
mod subnet;
mod tag_pairs;
mod tokens;

pub use age::{AHEAD_MS_MAX, Age, SKEW_MS_MAX};
pub use balancer::{ClassicLoadBalancer, LoadBalancer, WafAssociation};
pub use body::*;
pub use build::ShardBuilder;
pub use calls::listed_by;
pub use classic_acl::{ClassicAcl, ClassicRule};
pub use delivery::{Delivery, DeliveryReader, QUARANTINED_MAX, Quarantined};
pub use delivery_error::DeliveryError;
pub use dns_association::DnsAssociation;
pub use encode::{append_item, decode_item, decode_item_of, encode_item};
pub use encoded::{Encoded, EncodedItem, OfType};
pub use firewall::{
    CustomAction, FirewallPolicy, FirewallRuleGroup, FirewallRules, NetworkFirewall,
};
pub use foreign::{archive, is_query_table};
pub use interface::{GroupAssociation, NetworkInterface};
pub use item::*;
pub use layout::{ITEM_LAYOUT, ItemDecodeError};
pub use limits::{DEPTH_MAX, ITEM_BYTES_MAX, PREAMBLE_BYTES_MAX};
pub use members::Members;
pub use merge::{Held, Merged, is_live, is_live_unless, merge};
pub use missed::{Cause, Missed, OpenGap, OpenGaps, open_gaps, shows_region};
pub use network_acl::{
    AclAssociation, AclEntry, AclMembers, AclTraffic, NetworkAcl, NumberedEntry,
};
pub use read::read_item;
pub use route_table::{
    Destination, InternetGateway, Route, RouteAssociation, RouteTable, RouteTarget, TargetKind,
    VpcEndpoint,
};
pub use rule_group::{
    ACTION_COUNT, ACTION_NONE, RuleActions, RuleGroupId, WebAclRuleGroup, canonical, configs,
};
pub use shard::*;
pub use snapshot::{Shown, SnapshotFacts};
pub use subnet::Subnet;
