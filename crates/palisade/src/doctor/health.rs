//! What `/readyz` says.

use serde_json::Value;

use crate::client::Client;
use crate::failure::Failure;

/// A part, and why it is not well or degraded.
pub(super) type Part = (String, String);

/// The parts of a server that are not as they should be.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Health {
    /// These keep it from being ready.
    pub(super) unwell: Vec<Part>,
    /// These do not.
    pub(super) degraded: Vec<Part>,
}

impl Health {
    /// Asks a server.
    ///
    /// # Errors
    /// It cannot be reached, or gives no reasons: it is of another edition, or no server of ours.
    pub(super) fn ask(client: &Client) -> Result<Health, Failure> {
        let path = "/readyz";
        let (status, text) = client.probe(path)?;
        Health::parse(status, &text).ok_or_else(|| {
            Failure::Refused(format!("{path} was answered {status} and no reasons: {text}"))
        })
    }

    fn parse(status: u16, text: &str) -> Option<Health> {
        if status == 200 {
            let mut lines = text.lines();
            let is_degraded = match lines.next()? {
                "ok" => false,
                "degraded" => true,
                // A login page, or another server's.
                _ => return None,
            };
            let part = |line: &str| {
                let (part, why) = line.split_once(": ")?;
                Some((part.to_owned(), why.to_owned()))
            };
            let degraded: Vec<Part> = lines.map(part).collect::<Option<_>>()?;
            return (is_degraded != degraded.is_empty())
                .then_some(Health { unwell: Vec::new(), degraded });
        }
        let answer: Value = serde_json::from_str(text).ok()?;
        let error = answer.get("error")?;
        let unwell = parts(error.get("reasons")?)?;
        // Older servers tell of none.
        let degraded = error.get("degraded").and_then(parts).unwrap_or_default();
        Some(Health { unwell, degraded })
    }
}

fn parts(list: &Value) -> Option<Vec<Part>> {
    let member = |one: &Value, name: &str| {
        one.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    Some(list.as_array()?.iter().map(|one| (member(one, "part"), member(one, "why"))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_readyz_says_is_read() {
        let part = |part: &str| vec![(part.to_owned(), "why: so".to_owned())];
        let parse = Health::parse;
        assert_eq!(parse(200, "ok\n"), Some(Health::default()));
        let degraded = Health { unwell: Vec::new(), degraded: part("clock") };
        assert_eq!(parse(200, "degraded\nclock: why: so\n"), Some(degraded));
        let text = r#"{"error": {"reasons": [{"part": "log", "why": "why: so"}], "degraded":
            [{"part": "bodies", "why": "why: so"}]}}"#;
        let both = Health { unwell: part("log"), degraded: part("bodies") };
        assert_eq!(parse(503, text), Some(both));
        let older = r#"{"error": {"reasons": [{"part": "log", "why": "why: so"}]}}"#;
        let unwell = Health { unwell: part("log"), degraded: Vec::new() };
        assert_eq!(parse(503, older), Some(unwell));
        for other in ["", "nginx", "{}", r#"{"error": {}}"#] {
            assert_eq!(parse(503, other), None, "{other}");
        }
        let login = "<html>\n<title>Log in: example</title>\n</html>";
        for other in
            ["", "nginx", "OK", "ready\n", login, "degraded\n", "ok\nclock: why\n", "degraded\nx\n"]
        {
            assert_eq!(parse(200, other), None, "{other}");
        }
    }
}
