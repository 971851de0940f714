//! Pages of the dashboard against the endpoints that tell the same: CPU time of the server for each.

use std::path::Path;

use serde_json::{Value, json};

use crate::Report;
use crate::check::Programs;
use crate::fleet::{Fleet, REGIONS};
use crate::listing;
use crate::runs::median;
use crate::serve::Server;

/// Rounds of page and endpoint, in turn.
const ROUNDS: usize = 5;
/// The kernel tells CPU time in hundredths of a second: a side is asked again until it took this long.
const CPU_SECONDS_MIN: f64 = 0.4;
/// Bytes of what the heatmap draws.
const CELLS_SIZE_MAX: usize = 1024 * 1024;
/// Accounts of one page of an endpoint.
const ACCOUNTS_PAGE: usize = 1_000;

/// Measures the pages over a ledger of `accounts` accounts under `policies` policies.
pub fn rows(
    report: &mut Report,
    programs: &Programs,
    fleet: &Fleet,
    folder: &Path,
    [accounts, policies]: [u64; 2],
) {
    let ids = listing::ledger(programs, fleet, folder, [accounts, policies]);
    let server = Server::open_to_all(&programs.palisade, folder);
    let first = &ids[0];
    let account = server.accounts(first, None)["accounts"][0]["account"].clone();
    let account = account.as_str().expect("an account").to_owned();
    let region = REGIONS[0];

    let shown = server.page("/", region);
    assert_eq!(shown["accountCount"], json!(accounts), "the overview");
    let cells = server.get(&format!("/heatmap/cells?region={region}"));
    let drawn: Value = serde_json::from_slice(&cells).expect("JSON");
    assert_eq!(drawn["policies"].as_array().expect("a list").len() as u64, policies);
    assert_eq!(drawn["accounts"].as_array().expect("a list").len() as u64, accounts);
    let of = format!("{accounts} accounts × {policies} policies");
    report.row(
        &format!("what the heatmap draws, {of}"),
        "≤ 1 MiB",
        &format!("{:.2} MiB", cells.len() as f64 / 1_048_576.0),
        Some(cells.len() <= CELLS_SIZE_MAX),
    );

    let all = || ids.iter().for_each(|id| server.all_accounts(id));
    let one = || server.all_accounts(first);
    let violators = |policy: &str| {
        let path = format!("/palisade/v1/policies/{policy}/accounts/{account}/violators");
        server.client.own("GET", &path, "", b"");
    };
    let (of_one, of_each) = (|| violators(first), || ids.iter().for_each(|id| violators(id)));
    let own = |path: &str, query: &str| drop(server.client.own("GET", path, query, b""));
    let audit = || own("/palisade/v1/audit", "limit=50");
    let waivers = || own("/palisade/v1/waivers", "");
    let keys = || own("/palisade/v1/keys", "");
    let sides: [(&str, String, &dyn Fn()); 11] = [
        ("overview", "/?".to_owned(), &all),
        ("policies", "/policies?".to_owned(), &all),
        ("heatmap as a table", "/heatmap?view=table&".to_owned(), &all),
        ("heatmap's picture", "/heatmap/cells?".to_owned(), &all),
        ("sources", "/sources?".to_owned(), &all),
        ("a policy", format!("/policies/{first}?"), &one),
        ("an account", format!("/accounts/{account}?"), &of_each),
        ("an account under a policy", format!("/policies/{first}/accounts/{account}?"), &of_one),
        ("audit log", "/audit?".to_owned(), &audit),
        ("waivers", "/waivers?".to_owned(), &waivers),
        ("keys", "/keys?".to_owned(), &keys),
    ];
    for (name, path, endpoint) in sides {
        let path = format!("{path}region={region}");
        let mut ratios = Vec::new();
        for _ in 0..ROUNDS {
            let page = server.cpu_of(&|| drop(server.get(&path)));
            ratios.push(page / server.cpu_of(endpoint));
        }
        let ratio = median(ratios);
        report.row(
            &format!("page of {name}, {of}, to its endpoint"),
            "≤ 1.5 ×",
            &format!("{ratio:.2} ×"),
            Some(ratio <= 1.5),
        );
    }
    server.stop();
}

impl Server {
    /// A page as JSON.
    fn page(&self, path: &str, region: &str) -> Value {
        let told = self.get(&format!("{path}?as=json&region={region}"));
        serde_json::from_slice::<Value>(&told).expect("JSON")["shown"].clone()
    }

    fn accounts(&self, policy: &str, next: Option<&str>) -> Value {
        let next = next.map(|next| format!("&next={next}")).unwrap_or_default();
        let path = format!("/palisade/v1/policies/{policy}/accounts");
        self.client.own("GET", &path, &format!("limit={ACCOUNTS_PAGE}{next}"), b"")
    }

    /// How every account stands under a policy.
    fn all_accounts(&self, policy: &str) {
        let mut next: Option<String> = None;
        loop {
            let page = self.accounts(policy, next.as_deref());
            assert!(page["accounts"].as_array().is_some_and(|list| !list.is_empty()));
            match page["next"].as_str() {
                Some(token) => next = Some(token.to_owned()),
                None => return,
            }
        }
    }

    /// CPU seconds that the server takes for one call.
    fn cpu_of(&self, call: &dyn Fn()) -> f64 {
        let (begun, mut calls) = (self.cpu(), 0_u32);
        loop {
            call();
            calls += 1;
            let took = self.cpu() - begun;
            if took >= CPU_SECONDS_MIN {
                return took / f64::from(calls);
            }
        }
    }
}
