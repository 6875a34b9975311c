use windflow_sdk::serde_json::{from_str, json};
use windflow_sdk::testing;

use super::*;

/// Tokens and keys that another library made: issuer `https://id.example.org`, audiences `flows` and `other`, valid from 1000 to
/// 2000.
fn tokens() -> Value {
    from_str(include_str!("tokens.json")).unwrap()
}

const SECRET: &str = "a shared secret of the tests";

fn verify(token: &str, change: impl FnOnce(&mut Value)) -> Result<Value, NodeError> {
    let tokens = tokens();
    let mut config = json!({ "token": tokens[token], "now": 1500 });
    config[if token == "hs256" { "secret" } else { "keys" }] =
        if token == "hs256" { json!(SECRET) } else { tokens["keys"].clone() };
    change(&mut config);
    testing::run(jwt_verify::NODE, config).map(|emitted| emitted.value)
}

#[track_caller]
fn check_refused(token: &str, says: &str, change: impl FnOnce(&mut Value)) {
    let error = verify(token, change).unwrap_err();
    assert!(error.message.contains(says), "{error}");
}

#[test]
fn genuine_tokens_give_their_claims() {
    for token in ["hs256", "rs256", "es256"] {
        let output = verify(token, |config| config["audience"] = json!("flows")).unwrap();
        assert_eq!(output["claims"]["sub"], "ada", "{token}");
        assert_eq!(output["header"]["alg"], token.to_uppercase());
        verify(token, |config| config["issuer"] = json!("https://id.example.org")).unwrap();
        verify(token, |config| config["token"] = json!(format!("Bearer {}", config["token"].as_str().unwrap())))
            .unwrap();
    }
}

#[test]
fn what_was_changed_is_refused() {
    for token in ["hs256", "rs256", "es256"] {
        let text = tokens()[token].as_str().unwrap().to_owned();
        let (signed, signature) = text.rsplit_once('.').unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        let other = windflow_sdk::base64::encode(br#"{"sub":"eve"}"#);
        let replaced = format!("{header}.{}.{signature}", other.trim_end_matches('='));
        check_refused(token, "not genuine", |config| config["token"] = json!(replaced));
        check_refused(token, "not genuine", |config| config["token"] = json!(format!("{header}.{claims}.AAAA")));
        check_refused(token, "not genuine", |config| config["token"] = json!(format!("{header}.{claims}.")));
    }
    check_refused("hs256", "not genuine", |config| config["secret"] = json!("another"));
}

#[test]
fn a_token_cannot_choose_what_it_is_held_against() {
    check_refused("confused", "has to be RS256", |_| {});
    check_refused("none", "has to be RS256", |_| {});
    check_refused("rs256", "has to be HS256", |config| {
        config["secret"] = json!(SECRET);
        config["keys"] = json!(null);
    });
    check_refused("rs256", "none of `keys`", |config| config["keys"] = tokens()["keys"]["keys"][1].clone());
    check_refused("rs256", "either `secret` or `keys`", |config| config["secret"] = json!(SECRET));
}

#[test]
fn times_issuer_and_audience_are_compared() {
    check_refused("hs256", "no longer valid", |config| config["now"] = json!(2000));
    check_refused("hs256", "not valid yet", |config| config["now"] = json!(999));
    check_refused("hs256", "nodes have no clock", |config| config["now"] = json!(null));
    verify("hs256", |config| {
        config["now"] = json!(null);
        config["ignore_times"] = json!(true);
    })
    .unwrap();
    check_refused("es256", "another issuer", |config| config["issuer"] = json!("https://evil.example.org"));
    check_refused("es256", "another audience", |config| config["audience"] = json!("flow"));
    for nonsense in ["", "a.b", "a.b.c.d", "é.é.é", "e30.e30.e30", "W10.W10.W10"] {
        check_refused("rs256", "the token", |config| config["token"] = json!(nonsense));
    }
}
