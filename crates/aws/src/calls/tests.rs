use std::collections::BTreeSet;

use super::*;
use crate::call::Items;
use crate::service::{Protocol, Service};

#[test]
fn each_row_can_be_sent_and_read() {
    let mut names = BTreeSet::new();
    for call in all() {
        let name = call.name();
        assert!(names.insert(name.clone()), "{name} comes once");
        let protocol = call.service.protocol();
        let is_rest = matches!(protocol, Protocol::RestJson | Protocol::RestXml);
        assert_eq!(
            call.rest.is_some(),
            is_rest,
            "{name} has a path of its own where its protocol asks for one"
        );
        if call.items != Items::One {
            assert_eq!(
                !call.shape.is_empty(),
                protocol.answers_xml(),
                "{name} has a shape where it answers XML"
            );
        }
        if let Some(paging) = call.paging {
            assert!(call.items.path().is_some(), "{name} pages a list");
            assert!(paging.size.is_none_or(|(_, most)| most > 0), "{name}");
        }
        for action in call.iam {
            let (prefix, action) = action.split_once(':').unwrap();
            assert!(!action.is_empty() && !action.contains('*') && !prefix.is_empty(), "{name}");
        }
        assert!(BUCKETS.contains(&call.bucket), "{name}");
    }
    assert!(names.len() > 60, "{}", names.len());
    for service in Service::ALL {
        assert!(all().any(|call| call.service == *service), "{service:?} has a call");
    }
}

#[test]
fn every_shape_of_a_row_is_known() {
    crate::xml::assert_shapes(all());
}

#[test]
fn calls_are_found_by_their_names() {
    assert!(std::ptr::eq(find("ec2", "DescribeVpcs").unwrap(), &raw const DESCRIBE_VPCS));
    assert!(find("ec2", "DeleteVpc").is_none());
    assert!(find("nothing", "DescribeVpcs").is_none());
}
