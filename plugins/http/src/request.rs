//! From the configuration to the first request.

use windflow_sdk::http::{Request, Url, encode};
use windflow_sdk::serde_json::Value;
use windflow_sdk::{Fields, Json, NodeError, base64, context};

use crate::config::{Auth, Config};

/// Methods that change something, so that they must not be done twice.
const UNSAFE: [&str; 4] = ["POST", "PUT", "PATCH", "DELETE"];

pub(crate) fn build(config: &Config) -> Result<Request, NodeError> {
    let mut url = Url::parse(&config.url).map_err(|problem| wrong(&format!("`url`: {problem}")))?;
    for (name, value) in &config.query.0 {
        for text in texts("query", name, value)? {
            url.push_query(name, &text);
        }
    }
    let method = config.method.to_ascii_uppercase();
    if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-') {
        return Err(wrong(&format!("`method`: `{method}` is none; write such as GET or POST")));
    }
    let mut request = Request::new(method, url);
    for (name, value) in &config.headers.0 {
        for text in texts("headers", name, value)? {
            request.headers.push((name.clone(), text));
        }
    }
    if let Some(auth) = &config.auth {
        if request.header("authorization").is_some() {
            return Err(wrong("both `auth` and the header `Authorization` are there; leave one away"));
        }
        request.headers.push(("Authorization".to_owned(), authorization(auth)));
    }
    if let Some((media_type, body)) = body(config)? {
        add_header(&mut request, "Content-Type", media_type);
        request.body = Some(body);
    }
    add_header(&mut request, "User-Agent", "windflow");
    if UNSAFE.contains(&request.method.as_str()) {
        if request.header("idempotency-key").is_none() {
            request.headers.push(("Idempotency-Key".to_owned(), context::idempotency_key()));
        }
        // Servers want to know that there is none.
        request.body.get_or_insert_default();
    }
    Ok(request)
}

fn add_header(request: &mut Request, name: &str, value: &str) {
    if request.header(name).is_none() {
        request.headers.push((name.to_owned(), value.to_owned()));
    }
}

fn authorization(auth: &Auth) -> String {
    match auth {
        Auth::Bearer(token) => format!("Bearer {token}"),
        Auth::Basic(basic) => {
            let pair = format!("{}:{}", basic.username, basic.password);
            format!("Basic {}", base64::encode(pair.as_bytes()))
        }
    }
}

fn body(config: &Config) -> Result<Option<(&'static str, Vec<u8>)>, NodeError> {
    Ok(match (&config.json, &config.form, &config.text, &config.base64) {
        (None, None, None, None) => None,
        (Some(json), None, None, None) => Some(("application/json", json.as_str().as_bytes().to_vec())),
        (None, Some(form), None, None) => Some(("application/x-www-form-urlencoded", encoded(form)?.into_bytes())),
        (None, None, Some(text), None) => Some(("text/plain; charset=utf-8", text.clone().into_bytes())),
        (None, None, None, Some(text)) => {
            let bytes = base64::decode(text.as_bytes()).ok_or_else(|| wrong("`base64` is not base64"))?;
            Some(("application/octet-stream", bytes))
        }
        _ => return Err(wrong("write only one of `json`, `form`, `text` and `base64`: a request has one body")),
    })
}

fn encoded(form: &Fields<Json>) -> Result<String, NodeError> {
    let mut body = String::new();
    for (name, value) in &form.0 {
        for text in texts("form", name, value)? {
            if !body.is_empty() {
                body.push('&');
            }
            body.push_str(&encode(name));
            body.push('=');
            body.push_str(&encode(&text));
        }
    }
    Ok(body)
}

/// The texts that a field stands for: none for `null`, several for a list.
fn texts(field: &str, name: &str, value: &Json) -> Result<Vec<String>, NodeError> {
    let single = |value: Value| match value {
        Value::String(text) => Ok(text),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        _ => Err(wrong(&format!("`{field}.{name}` is neither text nor number nor a list of them"))),
    };
    match value.parse()? {
        Value::Null => Ok(Vec::new()),
        Value::Array(values) => values.into_iter().map(single).collect(),
        value => Ok(vec![single(value)?]),
    }
}

pub(crate) fn wrong(message: &str) -> NodeError {
    NodeError::new("invalid_config", message)
}
