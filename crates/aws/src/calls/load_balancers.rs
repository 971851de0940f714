//! Load balancers of both generations, and API Gateway.

use super::rates::UNPUBLISHED;
use super::table::table;
use crate::call::{Paging, call};
use crate::service::Service::{ApiGateway, Elb, ElbV2};

/// The greatest page of load balancers.
const PAGE: u32 = 400;

const MARKER: Paging = Paging {
    token_in: "Marker",
    token_out: "NextMarker",
    more: None,
    size: Some(("PageSize", PAGE)),
};

table! {
    LOAD_BALANCERS:
    /// Application, network and gateway load balancers.
    DESCRIBE_LOAD_BALANCERS = call(
        ElbV2, "DescribeLoadBalancers", &["elasticloadbalancing:DescribeLoadBalancers"], &UNPUBLISHED,
    ).shape("DescribeLoadBalancersOutput").list("LoadBalancers").paging(MARKER);
    /// The tags of up to 20 of them, by ARN.
    DESCRIBE_LOAD_BALANCER_TAGS = call(ElbV2, "DescribeTags", &["elasticloadbalancing:DescribeTags"], &UNPUBLISHED)
        .shape("DescribeTagsOutput").list("TagDescriptions");
    /// Classic load balancers.
    DESCRIBE_CLASSIC_LOAD_BALANCERS = call(
        Elb, "DescribeLoadBalancers", &["elasticloadbalancing:DescribeLoadBalancers"], &UNPUBLISHED,
    ).shape("DescribeAccessPointsOutput").list("LoadBalancerDescriptions").paging(MARKER);
    /// The tags of up to 20 of them, by name.
    DESCRIBE_CLASSIC_LOAD_BALANCER_TAGS = call(
        Elb, "DescribeTags", &["elasticloadbalancing:DescribeTags"], &UNPUBLISHED,
    ).shape("DescribeTagsOutput").list("TagDescriptions");
    /// REST APIs.
    GET_REST_APIS = call(ApiGateway, "GetRestApis", &["apigateway:GET"], &UNPUBLISHED)
        .get("/restapis").list("item").pages("position", "limit", 500);
    /// The stages of a REST API, each with its web ACL and tags.
    GET_STAGES = call(ApiGateway, "GetStages", &["apigateway:GET"], &UNPUBLISHED)
        .get("/restapis/{restapi_id}/stages").list("item");
}
