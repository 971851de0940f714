use super::*;

fn apps(count: usize) -> AppsList {
    let app = App { name: "web".into(), protocol: "TCP".into(), port: 443 };
    AppsList { list_name: "mine".into(), apps: vec![app; count], ..AppsList::default() }
}

fn protocols(count: usize) -> ProtocolsList {
    ProtocolsList {
        list_name: "mine".into(),
        protocols: vec!["tcp".into(); count],
        ..ProtocolsList::default()
    }
}

#[test]
fn quotas_hold_at_their_number() {
    let quotas = Quotas::default();
    for (count, fits) in [(0, true), (49, true), (50, true), (51, false)] {
        assert_eq!(apps(count).check(&quotas).is_ok(), fits, "{count} applications");
    }
    for (count, fits) in [(0, true), (4, true), (5, true), (6, false)] {
        assert_eq!(protocols(count).check(&quotas).is_ok(), fits, "{count} protocols");
    }
    let refused = protocols(6).check(&quotas).unwrap_err();
    assert_eq!(refused.kind, RefusalKind::LimitExceeded);
    assert!(refused.message.contains("6 are given and the quota is 5"), "{refused}");
    for (held, fits) in [(0, true), (9, true), (10, false), (11, false)] {
        let found = admit_another("custom applications lists", held, quotas.apps_lists_max);
        assert_eq!(found.is_ok(), fits, "{held} lists");
    }
}

#[test]
fn names_are_checked() {
    let quotas = Quotas::default();
    for (name, wanted) in [
        ("mine", None),
        ("fm", None),
        ("fmsx", None),
        ("éfms-", None),
        ("fms-mine", Some("reserved")),
        ("FMS-Mine", Some("reserved")),
        ("", Some("has 0 characters")),
    ] {
        let list = ProtocolsList { list_name: name.into(), ..protocols(1) };
        let found = list.check(&quotas).err().map(|refused| refused.message);
        match (wanted, found) {
            (None, None) => {}
            (Some(wanted), Some(found)) => assert!(found.contains(wanted), "{name}: {found}"),
            (wanted, found) => panic!("{name}: wanted {wanted:?}, found {found:?}"),
        }
    }
    for (length, fits) in [(127, true), (128, true), (129, false)] {
        let mut list = apps(1);
        list.list_name = "n".repeat(length);
        assert_eq!(list.check(&quotas).is_ok(), fits, "ListName of {length}");
        let mut list = apps(1);
        list.apps[0].name = "n".repeat(length).into();
        assert_eq!(list.check(&quotas).is_ok(), fits, "AppName of {length}");
    }
}

#[test]
fn protocols_are_names_or_numbers() {
    for (text, wanted) in [
        ("tcp", Some(6)),
        ("TCP", Some(6)),
        ("udp", Some(17)),
        ("icmp", Some(1)),
        ("icmpv6", Some(58)),
        ("IPv6-ICMP", Some(58)),
        ("esp", Some(50)),
        ("0", Some(0)),
        ("255", Some(255)),
        ("256", None),
        ("-1", None),
        ("all", None),
        ("", None),
        ("quic", None),
    ] {
        assert_eq!(protocol_number(text), wanted, "`{text}`");
    }
    let quotas = Quotas::default();
    let with = |text: &str| {
        let mut list = apps(2);
        list.apps[1].protocol = text.into();
        list.check(&quotas).map_err(|refused| refused.message)
    };
    assert_eq!(with("17"), Ok(()));
    assert!(with("quic").unwrap_err().contains("AppsList[1].Protocol is `quic`"));
    assert!(with(&"1".repeat(21)).unwrap_err().contains("has 21 characters; give 1 to 20"));
}

#[test]
fn aws_managed_lists_have_fixed_ids_and_contents() {
    let apps = default_apps_lists();
    let names: Vec<&str> = apps.iter().map(|list| list.name).collect();
    assert_eq!(
        names,
        ["FMS-Default-Public-Access-Apps-Allowed", "FMS-Default-Public-Access-Apps-Denied"]
    );
    let ports = |list: &DefaultAppsList| -> Vec<u16> {
        list.apps(Some("1")).unwrap().iter().map(|app| app.port).collect()
    };
    assert_eq!(ports(&apps[0]), [80, 443]);
    assert_eq!(ports(&apps[1]), [22, 23, 3389, 445, 3306, 1433, 5432, 1521, 27017, 6379]);
    assert_eq!(apps[0].apps(None), apps[0].apps(Some("1")));
    assert_eq!(apps[0].apps(Some("2")), None);
    let protocols = default_protocols_lists();
    assert_eq!(protocols[0].name, "FMS-Default-Protocols-Allowed");
    assert_eq!(protocols[0].protocols(None).unwrap(), ["TCP".into(), "UDP".into()]);
    let ids: std::collections::BTreeSet<&ListId> =
        apps.iter().map(|list| &list.id).chain(protocols.iter().map(|list| &list.id)).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| id.as_str().len() == 36));
}

#[test]
fn a_list_is_written_as_the_model_has_it() {
    let text =
        r#"{"ListId":"i","ListName":"n","AppsList":[{"AppName":"a","Protocol":"TCP","Port":80}]}"#;
    let list: AppsList = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&list).unwrap(), text);
    let text = r#"{"ListName":"n","ProtocolsList":["tcp","41"],"PreviousProtocolsList":{}}"#;
    let list: ProtocolsList = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&list).unwrap(), text);
}
