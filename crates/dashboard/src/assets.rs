//! The style sheet, the scripts and the icon: nothing comes from elsewhere.

use axum::extract::{Path, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::answer::sent;

/// Name, content type and bytes.
const ALL: [(&str, &str, &str); 4] = [
    ("palisade.css", "text/css; charset=utf-8", include_str!("../assets/palisade.css")),
    ("palisade.js", "text/javascript; charset=utf-8", include_str!("../assets/palisade.js")),
    ("heatmap.js", "text/javascript; charset=utf-8", include_str!("../assets/heatmap.js")),
    ("palisade.svg", "image/svg+xml", include_str!("../assets/palisade.svg")),
];

/// `GET /assets/{name}`, for anybody.
pub async fn show(Path(name): Path<String>, _request: Request) -> Response {
    let Some((_, content_type, text)) = ALL.iter().find(|(known, _, _)| *known == name) else {
        return sent(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", b"not found\n".to_vec());
    };
    let mut response = sent(StatusCode::OK, content_type, text.as_bytes().to_vec());
    // Addresses carry the version: another program has other ones.
    let kept = HeaderValue::from_static("public, max-age=3600");
    response.headers_mut().insert(header::CACHE_CONTROL, kept);
    response.headers_mut().remove(header::VARY);
    response
}
