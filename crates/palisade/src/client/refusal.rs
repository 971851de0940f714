//! Answers that are no success, and what a command says of them in one line, with what to do.

use serde_json::{Value, json};

use crate::failure::Failure;

/// How the server ends its refusal of an organization that is to be confirmed.
const SERVERS_CONFIRMATION: &str = "; add `?confirm=true` if that is meant";
/// An answer that is no success.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    /// The exception's name, or the code of one of Palisade's own endpoints.
    code: String,
    message: String,
    /// Which element of the list that was sent it is about, counted from 0.
    pub(super) element: Option<usize>,
}

impl Refusal {
    /// The code; Palisade's own endpoints leave AWS's `Exception` out.
    fn kind(&self) -> &str {
        self.code.strip_suffix("Exception").unwrap_or(&self.code)
    }

    /// Whether the key is refused, whatever is asked with it.
    fn is_of_the_key(&self) -> bool {
        [
            "AccessDenied",
            "IncompleteSignature",
            "InvalidClientTokenId",
            "InvalidSignature",
            "MissingAuthenticationToken",
            "UnrecognizedClient",
        ]
        .contains(&self.kind())
    }

    pub(super) fn is_throttling(&self) -> bool {
        matches!(self.code.as_str(), "ThrottlingException" | "Throttling" | "Busy")
    }

    pub(super) fn of(status: u16, text: &[u8]) -> Refusal {
        let element = |own: &Value| {
            let at = ["waiver", "policy"].into_iter().find_map(|name| own.get(name)?.as_u64());
            at.and_then(|at| usize::try_from(at).ok())
        };
        let body: Value = serde_json::from_slice(text).unwrap_or(Value::Null);
        let own = body.get("error").unwrap_or(&json!(null)).clone();
        let first = |names: [Option<&Value>; 3]| {
            names.into_iter().flatten().find_map(Value::as_str).unwrap_or_default().to_owned()
        };
        let code = first([body.get("__type"), own.get("code"), None]);
        Refusal {
            status,
            element: element(&own),
            code: code.rsplit('#').next().unwrap_or_default().to_owned(),
            message: first([body.get("Message"), body.get("message"), own.get("message")]),
        }
    }

    /// The failure that it makes of a call, with what to do; `keyless` where no key was found to sign it with.
    pub(super) fn failure(self, what: &str, keyless: bool) -> Failure {
        let is_unwelcome = self.is_of_the_key();
        let advice = self.advice(keyless).map(|advice| format!("; {advice}"));
        let Refusal { status, code, mut message, .. } = self;
        if advice.is_some() {
            // The server's own advice is for those who call it, and sentences are joined.
            let whole = message.strip_suffix(SERVERS_CONFIRMATION).unwrap_or(&message);
            message = whole.trim_end_matches('.').to_owned();
        }
        let code = if code.is_empty() { format!("HTTP status {status}") } else { code };
        let message = if message.is_empty() { "no message".to_owned() } else { message };
        let advice = advice.unwrap_or_default();
        let text = format!("{what} was refused: {code}: {message}{advice}");
        if is_unwelcome { Failure::Unwelcome(text) } else { Failure::Refused(text) }
    }

    fn advice(&self, keyless: bool) -> Option<&'static str> {
        match self.kind() {
            "UnrecognizedClient"
            | "InvalidClientTokenId"
            | "MissingAuthenticationToken"
            | "IncompleteSignature"
                if keyless =>
            {
                Some(
                    "there is no key in AWS_ACCESS_KEY_ID or a profile; `palisade keys create` makes one",
                )
            }
            "UnrecognizedClient" | "InvalidClientTokenId" => Some(
                "the server does not know this key, or it is disabled; `palisade keys list` shows",
            ),
            "ConfirmationRequired" => Some("if that is meant, say so with --confirm"),
            "AccessDenied" if self.message.starts_with("No default admin could be found") => Some(
                "name one as `DefaultAdministrator` in the organization file, or call \
                 AssociateAdminAccount from the management account",
            ),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn refusals_of_either_kind_are_read() {
        let aws = Refusal::of(400, br#"{"__type":"a#InvalidInputException","Message":"no"}"#);
        assert_eq!((aws.code.as_str(), aws.message.as_str()), ("InvalidInputException", "no"));
        let own = Refusal::of(409, br#"{"error":{"code":"ConfirmationRequired","message":"no"}}"#);
        assert_eq!((own.code.as_str(), own.message.as_str()), ("ConfirmationRequired", "no"));
        let other = Refusal::of(502, b"<html>");
        assert_eq!((other.status, other.code.as_str()), (502, ""));
    }

    #[test]
    fn a_refusal_and_what_to_do_are_one_sentence() {
        let refused = |code: &str, message: &str| {
            let body = json!({"error": {"code": code, "message": message}}).to_string();
            Refusal::of(400, body.as_bytes()).failure("it", true)
        };
        let invalid = "The security token included in the request is invalid.";
        for (failure, is_unwelcome, want) in [
            (
                refused("UnrecognizedClient", invalid),
                true,
                "it was refused: UnrecognizedClient: The security token included in the request \
                 is invalid; there is no key in AWS_ACCESS_KEY_ID or a profile; `palisade keys \
                 create` makes one",
            ),
            (
                refused("ConfirmationRequired", "too many; add `?confirm=true` if that is meant"),
                false,
                "it was refused: ConfirmationRequired: too many; if that is meant, say so with \
                 --confirm",
            ),
            (refused("AccessDenied", "no."), true, "it was refused: AccessDenied: no."),
            (refused("InvalidDelivery", "no"), false, "it was refused: InvalidDelivery: no"),
        ] {
            assert_eq!(failure.to_string(), want);
            assert_eq!(matches!(failure, Failure::Unwelcome(_)), is_unwelcome, "{want}");
        }
    }
}
