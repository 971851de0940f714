//! The readers under test, each with what must hold whatever it reads.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a target says that something does not hold by panicking"
)]

mod bodies;
mod deliveries;
mod files;
mod moments;
mod policies;
mod signatures;
mod tokens;
mod transcode;

use crate::Target;
use policies::service_data;

/// Every target. The eleven of ManagedServiceData are in the order of `PolicyType::ALL`.
pub const TARGETS: &[Target] = &[
    Target { name: "sigv4_headers", run: signatures::headers },
    Target { name: "canonical_uri", run: signatures::canonical_uri },
    Target { name: "json_bodies", run: bodies::json },
    Target { name: "cbor_bodies", run: bodies::cbor },
    Target { name: "timestamps", run: moments::timestamps },
    Target { name: "managed_service_data_waf", run: service_data::<0> },
    Target { name: "managed_service_data_wafv2", run: service_data::<1> },
    Target { name: "managed_service_data_shield", run: service_data::<2> },
    Target { name: "managed_service_data_sg_common", run: service_data::<3> },
    Target { name: "managed_service_data_sg_content", run: service_data::<4> },
    Target { name: "managed_service_data_sg_usage", run: service_data::<5> },
    Target { name: "managed_service_data_firewall", run: service_data::<6> },
    Target { name: "managed_service_data_dns", run: service_data::<7> },
    Target { name: "managed_service_data_third_party", run: service_data::<8> },
    Target { name: "managed_service_data_import", run: service_data::<9> },
    Target { name: "managed_service_data_network_acl", run: service_data::<10> },
    Target { name: "policy_files", run: policies::policy_files },
    Target { name: "config_items", run: deliveries::items },
    Target { name: "deliveries", run: deliveries::deliveries },
    Target { name: "gzip_framing", run: files::gzip },
    Target { name: "page_tokens", run: tokens::page_tokens },
];
