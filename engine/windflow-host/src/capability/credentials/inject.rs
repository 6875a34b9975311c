//! Putting the value into a request.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT_ENCODING, AUTHORIZATION};
use http::{HeaderName, HeaderValue, Request, Uri};
use http_body_util::{BodyExt, Full};
use ring::hmac;
use wasmtime_wasi_http::{Error, WasiBody};
use windflow_core::credential::{Algorithm, Binding, Encoding, Signature, URL_PLACEHOLDER_HOST};

use super::Held;
use super::scrub::percent_encoded;

/// Whether the request is addressed to whatever address a credential holds.
pub(crate) fn wants_address(request: &Request<WasiBody>) -> bool {
    request.uri().host().is_some_and(|host| host.eq_ignore_ascii_case(URL_PLACEHOLDER_HOST))
}

impl Held {
    /// Puts the credential's address in the place of the placeholder. The fields of the request's query come after its own.
    /// What then decides whether the request may leave is where it really goes.
    ///
    /// # Errors
    /// With a message for people where the credential is no address.
    pub(crate) fn address(&self, request: &mut Request<WasiBody>) -> Result<(), String> {
        if !self.is_url() {
            let what = self.credential.binding();
            return Err(format!(
                "the credential {} is {what}, and this request wants one that is a whole address (bind: url)",
                self.name
            ));
        }
        let mut url = self.credential.value().split('#').next().unwrap_or_default().to_owned();
        if let Some(query) = request.uri().query().filter(|query| !query.is_empty()) {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(query);
        }
        *request.uri_mut() =
            url.parse::<Uri>().map_err(|_| format!("the credential {} is no address that can be asked", self.name))?;
        Ok(())
    }

    /// Adds the value to a request that goes to one of its hosts. What the guest had put there is replaced.
    pub(crate) async fn add_to(&self, mut request: Request<WasiBody>) -> Result<Request<WasiBody>, Error> {
        // A packed answer could carry an echo past the scrubber.
        request.headers_mut().remove(ACCEPT_ENCODING);
        let value = self.credential.value();
        match self.credential.binding() {
            Binding::Bearer => set(&mut request, AUTHORIZATION, &format!("Bearer {value}"))?,
            Binding::Basic { username } => {
                let pair = STANDARD.encode(format!("{username}:{value}"));
                set(&mut request, AUTHORIZATION, &format!("Basic {pair}"))?;
            }
            Binding::Header { name } => set(&mut request, header(name)?, value)?,
            Binding::Query { name } => {
                let uri = with_field(request.uri(), name, value).ok_or(Error::HttpRequestUriInvalid)?;
                *request.uri_mut() = uri;
            }
            Binding::Url => {}
            // The sender asks for the token once all else is ready.
            Binding::OAuth(_) => {
                request.headers_mut().remove(AUTHORIZATION);
            }
            Binding::Hmac(signature) => return sign(request, signature, value.as_bytes()).await,
        }
        Ok(request)
    }

    /// Puts an access token into a request.
    pub(crate) fn authorise(request: &mut Request<WasiBody>, token: &str) -> Result<(), Error> {
        set(request, AUTHORIZATION, &format!("Bearer {token}"))
    }
}

fn header(name: &str) -> Result<HeaderName, Error> {
    name.parse().map_err(|_| Error::HttpRequestHeaderSectionSize(None))
}

fn set(request: &mut Request<WasiBody>, name: HeaderName, value: &str) -> Result<(), Error> {
    let mut value = HeaderValue::from_str(value).map_err(|_| Error::HttpRequestHeaderSectionSize(None))?;
    value.set_sensitive(true);
    request.headers_mut().insert(name, value);
    Ok(())
}

/// The address with this field, and without others of its name.
fn with_field(uri: &Uri, name: &str, value: &str) -> Option<Uri> {
    let name = percent_encoded(name);
    let of_name = |field: &&str| field.split('=').next() == Some(&*name);
    let mut fields: Vec<&str> = uri.query().unwrap_or_default().split('&').filter(|field| !of_name(field)).collect();
    fields.retain(|field| !field.is_empty());
    let added = format!("{name}={}", percent_encoded(value));
    fields.push(&added);
    format!("{}?{}", uri.path(), fields.join("&")).parse().ok()
}

/// Signs the body. It is read whole first; its bounds are those of all bodies.
async fn sign(request: Request<WasiBody>, signature: &Signature, key: &[u8]) -> Result<Request<WasiBody>, Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let algorithm = match signature.algorithm {
        Algorithm::Sha256 => hmac::HMAC_SHA256,
        Algorithm::Sha512 => hmac::HMAC_SHA512,
    };
    let mut context = hmac::Context::with_key(&hmac::Key::new(algorithm, key));
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().to_string();
    if signature.timestamp_header.is_some() {
        context.update(time.as_bytes());
        context.update(b".");
    }
    context.update(&body);
    let tag = context.sign();
    let text = match signature.encoding {
        Encoding::Hex => tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect(),
        Encoding::Base64 => STANDARD.encode(tag.as_ref()),
    };
    let body: WasiBody = Full::new(body).map_err(|never| match never {}).boxed_unsync();
    let mut request = Request::from_parts(parts, body);
    set(&mut request, header(&signature.header)?, &format!("{}{text}", signature.prefix))?;
    if let Some(name) = &signature.timestamp_header {
        set(&mut request, header(name)?, &time)?;
    }
    Ok(request)
}
