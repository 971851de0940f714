//! The description of these endpoints, made of the types that their handlers take and answer.

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{HeaderValue, Method, header};
use axum::response::Response;
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Header, PathItem, Ref, RefOr, Required, ResponseBuilder};
use utoipa::{Modify, OpenApi, ToSchema as _};

use super::answer::{PREFIX, RefusedShape};
use super::{
    accounts, audit, changes, dashboard, evaluate, explain, health, history, inventory, keys,
    organization, policies, policy_violators, preview, reset, sources, violators, waivers,
};

/// What `/palisade/v1/openapi.json` answers.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    // A description of strings and lists is always written.
    Endpoints::openapi().to_pretty_json().unwrap_or_default()
});

pub(super) const NAME: &str = "palisade:openapi";

/// `GET /palisade/v1/openapi.json`
#[utoipa::path(
    get,
    path = "/palisade/v1/openapi.json",
    tag = "health",
    summary = "This document",
    security(()),
    responses(
        (status = 200, description = "OpenAPI 3.1"),
        (status = 400, description = "The query has a member that is not known", body = RefusedShape),
    )
)]
pub(super) async fn openapi() -> Response {
    // Not copied: who does not take its answers holds nothing.
    let mut response = Response::new(Body::from(DOCUMENT.as_str()));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Palisade's own endpoints",
        version = "1",
        description = "Beside AWS Firewall Manager's operations, which are POST / (JSON 1.1) and POST /service/AWSFMS_20180101/operation/{name} (RPC v2 CBOR). Signed with AWS Signature Version 4, service fms; the operator's unless said otherwise."
    ),
    modifiers(&SigV4),
    security(("sigv4" = [])),
    paths(
        organization::show,
        organization::put,
        inventory::post,
        evaluate::work,
        evaluate::post,
        explain::show,
        preview::post,
        reset::post,
        policies::list,
        accounts::list,
        accounts::compliance,
        policy_violators::list,
        violators::list,
        history::list,
        changes::list,
        waivers::list,
        waivers::create,
        waivers::apply::put,
        waivers::renew,
        waivers::end,
        keys::list,
        keys::create,
        keys::change,
        keys::delete,
        keys::rotate,
        audit::list,
        sources::list,
        dashboard::link,
        openapi,
        health::live,
        health::ready,
        health::metrics,
    )
)]
struct Endpoints;

struct SigV4;

impl Modify for SigV4 {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let header = ApiKeyValue::with_description(
            "Authorization",
            "AWS4-HMAC-SHA256, service fms, with a key made by `palisade keys create --operator`.",
        );
        usual_refusals(document);
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("sigv4", SecurityScheme::ApiKey(ApiKey::Header(header)));
        // A body without a schema, which a delivery is, is taken for an optional one.
        for path in document.paths.paths.values_mut() {
            let body = path.post.as_mut().and_then(|post| post.request_body.as_mut());
            if let Some(RefOr::T(body)) = body {
                body.required = Some(Required::True);
            }
        }
    }
}

/// What an endpoint takes in its query.
pub(super) struct Endpoint {
    /// How it is asked.
    pub method: Method,
    /// Its path, with names in braces for what stands there.
    pub path: String,
    /// Names.
    pub members: Vec<String>,
}

impl Endpoint {
    /// Whether a request is for it.
    pub fn is_at(&self, method: &Method, path: &str) -> bool {
        let (template, asked) = (self.path.split('/'), path.split('/'));
        self.method == *method
            && template.clone().count() == asked.clone().count()
            && template.zip(asked).all(|(part, found)| part.starts_with('{') || part == found)
    }
}

/// The members of the query of each endpoint below [`PREFIX`]. Probes take any: whoever balances load
/// may add some.
pub(super) fn query_members() -> Vec<Endpoint> {
    let described = Endpoints::openapi().paths.paths.into_iter();
    let own = described.filter(|(path, _)| path.starts_with(PREFIX));
    let endpoints = own.flat_map(|(path, item)| {
        let PathItem { get, put, post, delete, patch, .. } = item;
        let methods = [
            (Method::GET, get),
            (Method::PUT, put),
            (Method::POST, post),
            (Method::DELETE, delete),
            (Method::PATCH, patch),
        ];
        methods.into_iter().filter_map(move |(method, operation)| {
            let parameters = operation?.parameters.unwrap_or_default().into_iter();
            let in_query = parameters.filter_map(|known| match known {
                RefOr::T(known) if known.parameter_in == ParameterIn::Query => Some(known.name),
                RefOr::T(_) | RefOr::Ref(_) => None,
            });
            Some(Endpoint { method, path: path.clone(), members: in_query.collect() })
        })
    });
    endpoints.collect()
}

/// What any signed call may be answered, whatever it asks for: status, name and description.
const USUAL: [(&str, &str, &str); 9] = [
    ("400", "Invalid", "What was sent cannot be read or is not allowed"),
    ("401", "Unauthenticated", "The request is not signed"),
    (
        "403",
        "Denied",
        "The signature, the key or the clock is wrong, or the caller may not do this",
    ),
    ("408", "TooSlow", "The body did not arrive in time"),
    ("413", "TooLarge", "The body is too large"),
    (
        "429",
        "Throttled",
        "Too many calls, or bodies, at once; `Retry-After` says when to send it again",
    ),
    ("431", "HeadersTooLarge", "The headers are too large"),
    ("500", "Failed", "The server failed; nothing was acknowledged"),
    (
        "503",
        "Unavailable",
        "There is no room or no answer in time just now; `Retry-After` says when to send it again, and what was asked may still take effect",
    ),
];

/// Of these, those that say when to come again.
const RETRIED: [&str; 2] = ["429", "503"];

fn usual_refusals(document: &mut utoipa::openapi::OpenApi) {
    let components = document.components.get_or_insert_default();
    for (status, name, description) in USUAL {
        let schema = Ref::from_schema_name(RefusedShape::name());
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let response =
            ResponseBuilder::new().description(description).content("application/json", content);
        let seconds = || Header::new(ObjectBuilder::new().schema_type(Type::Integer));
        let response = match RETRIED.contains(&status) {
            true => response.header("Retry-After", seconds()),
            false => response,
        };
        components.responses.insert(name.to_owned(), response.build().into());
    }
    for path in document.paths.paths.values_mut() {
        let PathItem { get, put, post, delete, patch, .. } = path;
        let operations = [get, put, post, delete, patch].into_iter().flatten();
        for operation in operations.filter(|operation| operation.security.is_none()) {
            for (status, name, _) in USUAL {
                let responses = &mut operation.responses.responses;
                let usual = || RefOr::Ref(Ref::from_response_name(name));
                responses.entry(status.to_owned()).or_insert_with(usual);
            }
        }
    }
}
