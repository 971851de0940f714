use super::*;

fn outlined(text: &str) -> Option<(Outline<'_>, usize)> {
    Outline::of(text.as_bytes(), 0, Look::Everything)
}

#[test]
fn fields_of_both_dialects_are_found_in_any_letter_case_and_order() {
    let text = r#" {"configuration" : {"a":[1,{"b":"}"}]},"AWSACCOUNTID":"1","x":"\u00e9","arn":"a","resourceType":"t"} ,"#;
    assert_eq!(outlined(text), None, "it begins with its bracket");
    let (outline, end) = outlined(text.trim_start()).unwrap();
    assert_eq!(text.trim_start().get(end..), Some(" ,"));
    assert_eq!(outline.text(Field::Configuration), Some(r#"{"a":[1,{"b":"}"}]}"#));
    assert_eq!(
        (outline.text(Field::Account), outline.text(Field::Arn)),
        (Some("\"1\""), Some("\"a\""))
    );
    assert_eq!((outline.text(Field::Type), outline.text(Field::Id)), (Some("\"t\""), None));
}

#[test]
fn null_is_as_good_as_absent_and_a_name_twice_goes_the_long_way() {
    let id = |text: &'static str| outlined(text).map(|(outline, _)| outline.text(Field::Id));
    assert_eq!(id(r#"{"resourceId":"a","resourceId":"b"}"#), None);
    assert_eq!(id(r#"{"awsAccountId":"1","accountId":"2"}"#), None);
    assert_eq!(id(r#"{"resourceId":"a","resourceId":null}"#), None);
    assert_eq!(id(r#"{"resourceId":null,"RESOURCEID":"b"}"#), None);
    for name in ["x", "version", "ARN", "changeType", "accountId", "a very long name of nobody's"] {
        for (one, other) in [(1, 2), (1, 9)] {
            let text =
                format!(r#"{{"{name}":{one},"resourceId":"a","{}":{other}}}"#, name.to_uppercase());
            assert_eq!(outlined(&text), None, "{text}");
        }
    }
    let others = |count: usize| {
        let others: String = (0..count).map(|n| format!(r#""x{n}":{n},"#)).collect();
        outlined(&format!(r#"{{{others}"resourceId":"b"}}"#)).is_some()
    };
    assert!(others(OTHERS_MAX - 1) && others(OTHERS_MAX) && !others(OTHERS_MAX + 1));
    assert_eq!(id(r#"{"resourceId":null}"#), Some(None));
}

#[test]
fn tags_are_usual_while_no_two_may_be_of_one_name() {
    let is_usual = |names: &[&str]| {
        let tags: Vec<String> = names.iter().map(|name| format!(r#""{name}":"v""#)).collect();
        let text = format!(r#"{{"tags":{{{}}},"resourceId":"b"}}"#, tags.join(","));
        let (outline, end) = Outline::of(text.as_bytes(), 0, Look::Brackets).unwrap();
        assert_eq!(end, text.len());
        outline.has_usual_tags()
    };
    assert!(is_usual(&["", "a", "A", "aa", "aws:stack-id", "aws:stack-name", "é"]));
    for twice in ["", "a", "1234567", "12345678", "a name of some length"] {
        assert!(!is_usual(&[twice, "b", twice]), "{twice}");
    }
    let many: Vec<String> = (0..FLAT_TAGS_MAX).map(|n| format!("t{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!(is_usual(&many[1..]) && !is_usual(&many));
}

#[test]
fn what_is_no_json_is_left_to_the_long_way() {
    let wrong = [
        "",
        "{",
        "{}x",
        "[]",
        "{,}",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1,}"#,
        r#"{"a":[1,]}"#,
        r#"{"a":{"b":1,}}"#,
        r#"{"a":tru}"#,
        r#"{"a":True}"#,
        r#"{"a":01}"#,
        r#"{"a":-}"#,
        r#"{"a":1.}"#,
        r#"{"a":.5}"#,
        r#"{"a":1e}"#,
        r#"{"a":"\x"}"#,
        r#"{"a":"\u12g4"}"#,
        "{\"a\":\"\n\"}",
        "{\"a\":\"\u{1}bcdefghijk\"}",
        r#"{"a":[}}"#,
        r#"{"a":{]}"#,
        r#"{"a":1]"#,
        r#"{a:1}"#,
        r#"{"a":'b'}"#,
        r#"{"a":"b""#,
        r#"{"a":nul"#,
        r#"{"a":+1}"#,
        r#"{"a":1 2}"#,
        r#"{"a":NaN}"#,
    ];
    for text in wrong {
        let whole = outlined(text).is_some_and(|(_, end)| end == text.len());
        assert!(!whole, "{text}");
        assert!(
            serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).is_err(),
            "{text}"
        );
    }
}

#[test]
fn escapes_and_strings_may_lie_across_blocks() {
    for filler in 0..140 {
        for (inside, right) in [
            (r#"\\"#, true),
            (r#"\""#, true),
            (r#"\\\""#, true),
            (r#"\\\\"#, true),
            (r#"\u00e9"#, true),
            (r#"{[,:"#, true),
            (r#"\\\"#, false),
            (r#"\u00e"#, false),
            (r#"\x"#, false),
        ] {
            let text = format!(r#"{{"a":"{}{inside}","resourceId":"b"}}"#, "x".repeat(filler));
            let taken = outlined(&text).filter(|(_, end)| *end == text.len());
            assert_eq!(taken.is_some(), right, "{text}");
            assert!(
                taken.is_none_or(|(outline, _)| outline.text(Field::Id) == Some("\"b\"")),
                "{text}"
            );
        }
    }
}

#[test]
fn bytes_that_are_not_utf8_are_left_to_the_long_way() {
    assert!(Outline::of(b"{\"a\":\"\xC3\xA9\"}", 0, Look::Everything).is_some());
    assert!(Outline::of(b"{\"a\":\"\xC3\"}", 0, Look::Everything).is_none());
}

#[test]
fn nesting_is_taken_up_to_the_limit() {
    let nested = |depth: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    let depth_max = DEPTH_MAX as usize;
    assert!(Outline::of(nested(depth_max - 2).as_bytes(), 1, Look::Everything).is_some());
    assert!(Outline::of(nested(depth_max - 1).as_bytes(), 0, Look::Everything).is_some());
    assert!(Outline::of(nested(depth_max - 1).as_bytes(), 1, Look::Everything).is_none());
    assert!(Outline::of(nested(depth_max).as_bytes(), 0, Look::Everything).is_none());
}

#[test]
fn a_look_at_the_brackets_finds_the_same_and_passes_over_other_faults() {
    let brackets = |text: &'static str| Outline::of(text.as_bytes(), 0, Look::Brackets);
    let right = r#"{"a":[{"b":"]}"},[]],"tags":{"x":"y"} , "resourceId":"b"}"#;
    let (found, end) = brackets(right).unwrap();
    assert!(found.has_usual_tags(), "of them the grammar is known as well");
    assert_eq!(Some((Outline { flat_tags: false, ..found }, end)), outlined(right));
    assert!(brackets(r#"{"a":[1 2,{"b"}],"resourceId":"b"}"#).is_some(), "nobody reads it");
    for wrong in [
        r#"{"a":[}"#,
        r#"{"a":[}]}"#,
        r#"{"a":[1}]"#,
        r#"{"a":{"b}}"#,
        r#"{"a":{"\x"}}"#,
        r#"{"a":tru}"#,
        r#"{"a":{}x}"#,
        r#"{"a":[\"],"b":"]"}"#,
        r#"{"a":[\\"x]"]}"#,
    ] {
        assert_eq!(brackets(wrong), None, "{wrong}");
    }
    for depth in [62_usize, 63, 64] {
        let text = format!(r#"{{"a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        let taken = Outline::of(text.as_bytes(), 0, Look::Brackets).is_some();
        assert_eq!(taken, depth < DEPTH_MAX as usize, "{depth}");
    }
}

proptest::proptest! {
    /// What is taken, serde_json takes too, with the same values; what serde_json refuses is not.
    #[test]
    fn both_ways_agree(blanks in 0_usize..70, seed in proptest::collection::vec(0_u8..26, 0..90)) {
        const PARTS: [&str; 26] = [
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\"resourceId\":", "\"tags\":", "null", "true", "-1.5e3", "0",
            "\"a\"", "\\u0041", " ", "\n", "{\"b\":", "[1,", "\"x\":", "\"\"", "é", "1", ",\"resourceId\":\"z\"", "\\\"",
        ];
        let text = format!("{{{}\"\":0,{}}}", " ".repeat(blanks), seed.iter().map(|part| PARTS[usize::from(*part)]).collect::<String>());
        let taken = outlined(&text).filter(|(_, end)| *end == text.len());
        let parsed = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text);
        if taken.is_some() {
            proptest::prop_assert!(parsed.is_ok(), "{}", text);
        } else {
            // Of what is right, escaped keys and repeated fields alone are left over.
            let twice = ["\"x\"", "\"\"", "\"a\"", "\"b\""].iter().any(|name| text.matches(name).count() > 1);
            let left_over = twice || text.contains('\\') || text.matches("\"resourceId\"").count() > 1 || text.matches("\"tags\"").count() > 1;
            proptest::prop_assert!(parsed.is_err() || left_over, "{}", text);
        }
    }
}
