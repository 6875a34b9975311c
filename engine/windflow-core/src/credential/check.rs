//! What a credential must keep.

use super::{Binding, InvalidCredential, MAX_HOSTS, MAX_VALUE_BYTES, MIN_VALUE_BYTES};
use crate::capability::{HttpPattern, Origin};

type Checked<T = ()> = Result<T, InvalidCredential>;

/// The longest name or prefix, in bytes.
const MAX_NAME_BYTES: usize = 256;

/// Headers by which requests are framed and routed: nobody but the host says what they hold.
const FRAMING: [&str; 9] =
    ["connection", "content-length", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];

fn wrong<T>(problem: impl Into<String>) -> Checked<T> {
    Err(InvalidCredential(problem.into()))
}

pub(super) fn value(binding: &Binding, value: &str) -> Checked {
    if value.len() < MIN_VALUE_BYTES || value.len() > MAX_VALUE_BYTES {
        return wrong(format!(
            "`value` has {} bytes; a credential's has {MIN_VALUE_BYTES} to {MAX_VALUE_BYTES}",
            value.len()
        ));
    }
    if value.chars().any(char::is_control) {
        return wrong("`value` holds a line break or another control character; remove it");
    }
    // What stands in a header as it is has to be what all servers read alike.
    let plain = matches!(binding, Binding::Bearer | Binding::Header { .. } | Binding::Url);
    if plain && !value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        return wrong("`value` holds characters beyond ASCII, which cannot stand in a header or an address");
    }
    if value.trim() != value {
        return wrong("`value` begins or ends with a space; remove it");
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
    }
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
