//! What a credential must keep.

use super::{Binding, Grant, InvalidCredential, MAX_HOSTS, MAX_VALUE_BYTES, MIN_VALUE_BYTES, OAuth};
use crate::capability::{HttpPattern, Origin};

type Checked<T = ()> = Result<T, InvalidCredential>;

/// The longest name or prefix, in bytes.
const MAX_NAME_BYTES: usize = 256;

/// The longest address of a token server, name of a client or audience, in bytes.
const MAX_URL_BYTES: usize = 2048;

/// The most scopes of one credential.
const MAX_SCOPES: usize = 64;

/// Headers by which requests are framed and routed: nobody but the host says what they hold.
const FRAMING: [&str; 9] =
    ["connection", "content-length", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];

fn wrong<T>(problem: impl Into<String>) -> Checked<T> {
    Err(InvalidCredential(problem.into()))
}

pub(super) fn value(binding: &Binding, value: &str) -> Checked {
    secret("value", value)?;
    // What stands in a header as it is has to be what all servers read alike.
    let plain = matches!(binding, Binding::Bearer | Binding::Header { .. } | Binding::Url);
    if plain && !value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        return wrong("`value` holds characters beyond ASCII, which cannot stand in a header or an address");
    }
    Ok(())
}

/// The client's secret beside a refresh token.
pub(super) fn client_secret(binding: &Binding, value: &str) -> Checked {
    match binding {
        Binding::OAuth(client) if client.grant == Grant::RefreshToken => {
            if client.client_id.is_none() {
                return wrong("`client_secret` stands without a `client_id` in `bind.oauth2`; write it, too");
            }
            secret("client_secret", value)
        }
        Binding::OAuth(_) => wrong("the client's secret is the `value` of this grant; leave `client_secret` away"),
        _ => wrong("`client_secret` belongs to `bind: oauth2` with `grant: refresh_token`; leave it away"),
    }
}

fn secret(field: &str, value: &str) -> Checked {
    if value.len() < MIN_VALUE_BYTES || value.len() > MAX_VALUE_BYTES {
        return wrong(format!(
            "`{field}` has {} bytes; a credential's has {MIN_VALUE_BYTES} to {MAX_VALUE_BYTES}",
            value.len()
        ));
    }
    if value.chars().any(char::is_control) {
        return wrong(format!("`{field}` holds a line break or another control character; remove it"));
    }
    if value.trim() != value {
        return wrong(format!("`{field}` begins or ends with a space; remove it"));
    }
    Ok(())
}

pub(super) fn binding(binding: &Binding) -> Checked {
    match binding {
        Binding::Bearer | Binding::Url => Ok(()),
        Binding::Basic { username } => {
            let bad = username.is_empty() || username.len() > MAX_NAME_BYTES || username.contains(':');
            if bad || username.chars().any(char::is_control) {
                return wrong("`bind.basic.username` is empty, too long, or holds a colon or control characters");
            }
            Ok(())
        }
        Binding::Header { name } => header("bind.header.name", name),
        Binding::Query { name } => {
            if name.is_empty() || name.len() > MAX_NAME_BYTES {
                return wrong("`bind.query.name` is empty or too long: write the name of the field");
            }
            Ok(())
        }
        Binding::Hmac(signature) => {
            header("bind.hmac.header", &signature.header)?;
            if signature.prefix.len() > MAX_NAME_BYTES || !signature.prefix.bytes().all(|byte| byte.is_ascii_graphic())
            {
                return wrong("`bind.hmac.prefix` is too long or holds characters that cannot stand in a header");
            }
            signature.timestamp_header.as_deref().map_or(Ok(()), |name| header("bind.hmac.timestamp_header", name))
        }
        Binding::OAuth(client) => oauth(client),
    }
}

fn oauth(client: &OAuth) -> Checked {
    let printable = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    let url = &client.token_url;
    if url.len() > MAX_URL_BYTES || !printable(url) || url.contains('#') || Origin::from_url(url).is_none() {
        return wrong(
            "`bind.oauth2.token_url` is no address: write the whole of it, such as https://login.example.org/oauth2/token",
        );
    }
    if client.grant == Grant::ClientCredentials && client.client_id.is_none() {
        return wrong(
            "`bind.oauth2.client_id` is missing: write the name under which the token server knows the client",
        );
    }
    let words = [("client_id", client.client_id.as_ref()), ("audience", client.audience.as_ref())];
    for (field, text) in words.into_iter().filter_map(|(field, text)| text.map(|text| (field, text))) {
        if text.is_empty() || text.len() > MAX_URL_BYTES || text.chars().any(char::is_control) {
            return wrong(format!("`bind.oauth2.{field}` is empty, too long, or holds control characters"));
        }
    }
    let scopes = &client.scopes;
    // What RFC 6749 calls a scope: anything printable but quotes and backslashes.
    let scope = |text: &String| {
        !text.is_empty() && text.len() <= MAX_NAME_BYTES && printable(text) && !text.contains(['"', '\\'])
    };
    if scopes.len() > MAX_SCOPES || !scopes.iter().all(scope) {
        return wrong(format!(
            "`bind.oauth2.scopes` holds what is no scope, or more than {MAX_SCOPES}: write words such as [\"read\", \"write\"]"
        ));
    }
    Ok(())
}

fn header(field: &str, name: &str) -> Checked {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || name.len() > MAX_NAME_BYTES || !name.bytes().all(token) {
        return wrong(format!("`{field}` is no name of a header: write such as X-Api-Key"));
    }
    if FRAMING.iter().any(|known| name.eq_ignore_ascii_case(known)) {
        return wrong(format!("`{field}`: {name} belongs to the connection and is set by the host alone"));
    }
    Ok(())
}

pub(super) fn hosts(binding: &Binding, hosts: Vec<HttpPattern>, value: &str) -> Checked<Vec<HttpPattern>> {
    if hosts.len() > MAX_HOSTS {
        return wrong(format!("`hosts` names {} hosts; at most {MAX_HOSTS} are taken", hosts.len()));
    }
    if hosts.iter().any(HttpPattern::is_anything) {
        return wrong("`hosts` holds `*`, which is every host: name those that may get the credential");
    }
    if *binding == Binding::Url {
        // An address is its own host. Where more is written, it may only say the same.
        let Some(origin) = Origin::from_url(value) else {
            return wrong("`value` is no address: write the whole of it, with https://");
        };
        if !hosts.is_empty() && !hosts.iter().any(|host| host.covers(&origin)) {
            return wrong("`hosts` leaves out the host of the address in `value`; leave `hosts` away");
        }
        return Ok(vec![HttpPattern::exactly(&origin)]);
    }
    if hosts.is_empty() {
        return wrong("`hosts` is missing: name the hosts that may get the credential, such as [\"api.example.org\"]");
    }
    Ok(hosts)
}
