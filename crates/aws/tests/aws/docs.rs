//! `docs/aws-calls.md` is printed from the table.

use std::fmt::Write;

use palisade_aws::{Access, Items, calls, policy};

fn document() -> String {
    let mut text = String::from(
        "# AWS calls\n\n\
         Every call of AWS's APIs that Palisade makes. This page is printed from the table of calls (`crates/aws/src/calls`); a test\n\
         holds it to it, and `PALISADE_BLESS=1 cargo test -p palisade-aws` writes it.\n\n\
         *Page* is the size that is asked for, AWS's greatest. *List* is the member that a listing is about; where AWS leaves an\n\
         empty list out, the member in brackets must be there. A listing is complete when its last page came.\n\n\
         | Service | Call | Does | Protocol | List | Page | Token | Rate | IAM actions |\n|---|---|---|---|---|---|---|---|---|\n",
    );
    let mut rows: Vec<_> = calls::all().collect();
    rows.sort_by_key(|call| (call.service.name(), call.action));
    for call in rows {
        let list = match call.items {
            Items::One => String::new(),
            Items::Always(path) => path.to_owned(),
            Items::Unless { path, witness } => format!("{path} ({witness})"),
            Items::Omitted(path) => format!("{path} (may be absent)"),
        };
        let (page, token) = match call.paging {
            None => (String::new(), String::new()),
            Some(paging) => (
                paging.size.map(|(name, most)| format!("{name} {most}")).unwrap_or_default(),
                if paging.token_in == paging.token_out {
                    paging.token_in.to_owned()
                } else {
                    format!("{} → {}", paging.token_out, paging.token_in)
                },
            ),
        };
        writeln!(
            text,
            "| {} | {} | {} | {} | {list} | {page} | {token} | {} | {} |",
            call.service.name(),
            call.action,
            call.access.name(),
            call.service.protocol().name(),
            call.bucket.name,
            call.iam.join("<br>"),
        )
        .unwrap();
    }
    text.push_str(
        "\n## Rates\n\n\
         By account and Region, each call for itself unless it says otherwise. Half of each is taken by default, and half of that\n\
         again after AWS throttled a call, until time without a throttled call gives it back.\n\n\
         | Rate | Burst | A second | Of | Source |\n|---|---|---|---|---|\n",
    );
    for bucket in calls::BUCKETS {
        let of = match bucket.share {
            palisade_aws::Share::Action => "each call",
            palisade_aws::Share::Service => "all calls together",
        };
        let second = f64::from(bucket.milli_per_second) / 1000.0;
        writeln!(
            text,
            "| {} | {} | {second} | {of} | {} |",
            bucket.name, bucket.burst, bucket.source
        )
        .unwrap();
    }
    text.push_str("\n## The policy of the role that reads\n\n```json\n");
    text.push_str(&serde_json::to_string_pretty(&policy::read()).unwrap());
    text.push_str("\n```\n\nBeside it, Palisade's own identity needs ");
    let own: Vec<String> = [Access::Session, Access::Queue]
        .into_iter()
        .flat_map(policy::actions)
        .map(|action| format!("`{action}`"))
        .collect();
    writeln!(text, "{}.", own.join(", ")).unwrap();
    text
}

/// `PALISADE_BLESS=1` writes the documented one.
#[test]
fn the_documented_calls_are_those_of_the_table() {
    let path = palisade_testkit::workspace().join("docs/aws-calls.md");
    let text = document();
    if std::env::var_os("PALISADE_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(&path).unwrap());
}
