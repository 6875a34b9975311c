//! Credentials: set, listed and removed; their values are never read.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use windflow_core::credential::{Binding, Credential};
use windflow_core::id::NodeId;

use super::extract::{Allowed, Json, NewName, Path, Query, need};
use super::page::{Page, PageQuery};
use super::refusals::Refusals;
use crate::credentials::Opened;
use crate::problem::{Answer, Problem};
use crate::state::App;

/// What a credential is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetCredential {
    bind: BindingView,
    /// The hosts that may get it: `api.example.org`, `*.example.org`, `http://10.0.0.5:8080`. In plain text only where
    /// `http://` is written. Not for `url`, which names its own.
    #[serde(default)]
    #[schema(max_items = 32, example = json!(["api.example.org"]))]
    hosts: Vec<String>,
    /// The token, password, key or address.
    #[schema(min_length = 6, max_length = 16384)]
    value: String,
    /// For `oauth2` with `grant: refresh_token`: the client's secret, where it has one.
    #[serde(default)]
    #[schema(min_length = 6, max_length = 16384)]
    client_secret: Option<String>,
}

/// How the host puts the value into a request.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = CredentialBinding)]
pub(crate) enum BindingView {
    /// `Authorization: Bearer VALUE`.
    Bearer,
    /// `Authorization: Basic …`, with the value as password.
    #[schema(title = "CredentialBasic")]
    Basic { username: String },
    /// A header of this name.
    #[schema(title = "CredentialHeader")]
    Header { name: String },
    /// A field of the query of this name.
    #[schema(title = "CredentialQuery")]
    Query { name: String },
    /// The value is the whole address.
    Url,
    /// The value is a key that signs the body.
    Hmac(SignatureView),
    /// The host asks a token server for access tokens and sends those as `Authorization: Bearer`.
    #[serde(rename = "oauth2")]
    #[schema(title = "CredentialOAuth2")]
    OAuth(OAuthView),
}

/// A client of a token server (OAuth 2).
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CredentialOAuth2)]
pub(crate) struct OAuthView {
    /// Where access tokens are asked for.
    #[schema(example = "https://login.example.org/oauth2/token", max_length = 2048)]
    token_url: String,
    /// `client_credentials`: the value is the client's secret. `refresh_token`: it is a refresh token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    grant: Option<String>,
    /// The name under which the token server knows the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    /// What the token is to allow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 64)]
    scopes: Vec<String>,
    /// Whom the token is for, where the token server wants to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    audience: Option<String>,
    /// How the client shows its secret: `basic`, in a header, or `body`, as fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_auth: Option<String>,
}

/// How a body is signed.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CredentialSignature)]
pub(crate) struct SignatureView {
    /// The header that carries the signature.
    #[schema(example = "X-Hub-Signature-256")]
    header: String,
    /// `sha256` or `sha512`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    algorithm: Option<String>,
    /// `hex` or `base64`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    encoding: Option<String>,
    /// Stands before the signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "sha256=")]
    prefix: Option<String>,
    /// A header for the time; `TIME.BODY` is then signed instead of the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timestamp_header: Option<String>,
}

/// A credential. Nobody gets to see its value.
#[derive(Serialize, ToSchema)]
pub(crate) struct CredentialView {
    name: String,
    bind: BindingView,
    hosts: Vec<String>,
    updated_at: u64,
    updated_by: String,
}

fn view(opened: Opened) -> Answer<CredentialView> {
    let bind = serde_json::to_value(opened.credential.binding()).and_then(serde_json::from_value);
    Ok(CredentialView {
        name: opened.name,
        bind: bind.map_err(Problem::internal)?,
        hosts: opened.credential.hosts().iter().map(ToString::to_string).collect(),
        updated_at: opened.updated_at.0,
        updated_by: opened.updated_by,
    })
}

fn read(body: SetCredential) -> Answer<Credential> {
    let invalid = |problem: String| Problem::invalid("invalid_credential", problem);
    let bind: Binding = serde_json::to_value(&body.bind)
        .and_then(serde_json::from_value)
        .map_err(|error| invalid(format!("`bind`: {error}")))?;
    let hosts = body.hosts.iter().map(|host| host.parse().map_err(|error| invalid(format!("`hosts`: {error}"))));
    let hosts = hosts.collect::<Answer<_>>()?;
    let credential = Credential::new(bind, hosts, body.value);
    let credential = credential.and_then(|credential| credential.with_client_secret(body.client_secret));
    credential.map_err(|error| invalid(error.to_string()))
}

/// The credentials, without their values.
#[utoipa::path(
    get, path = "/credentials", tag = "people", operation_id = "list_credentials", params(PageQuery),
    security(("token" = ["secrets:manage"])),
    responses((status = 200, description = "As asked", body = Page<CredentialView>), Refusals)
)]
pub(crate) async fn list(
    allowed: Allowed<need::SecretsManage>,
    State(app): State<App>,
    Query(query): Query<PageQuery>,
) -> Answer<axum::Json<Page<CredentialView>>> {
    let after = query.after()?;
    let (opened, next) = app.credentials.list(&allowed.0.organisation, after.as_deref(), query.limit()?)?;
    let items = opened.into_iter().map(view).collect::<Answer<_>>()?;
    Ok(axum::Json(Page::new(items, next)))
}

/// One credential, without its value.
#[utoipa::path(
    get, path = "/credentials/{name}", tag = "people", operation_id = "show_credential",
    params(("name" = String, Path, description = "Its name")),
    security(("token" = ["secrets:manage"])),
    responses((status = 200, description = "As asked", body = CredentialView), Refusals)
)]
pub(crate) async fn show(
    allowed: Allowed<need::SecretsManage>,
    State(app): State<App>,
    Path(name): Path<NodeId>,
) -> Answer<axum::Json<CredentialView>> {
    let opened = app.credentials.read(&allowed.0.organisation, name.as_str())?;
    view(opened.ok_or_else(|| Problem::not_found(format!("credential {name}")))?).map(axum::Json)
}

/// Set a credential, or replace it.
#[utoipa::path(
    put, path = "/credentials/{name}", tag = "people", operation_id = "set_credential",
    params(("name" = String, Path, description = "a-z, 0-9 and _, beginning with a letter")),
    security(("token" = ["secrets:manage"])), request_body = SetCredential,
    responses((status = 200, description = "As asked", body = CredentialView), Refusals)
)]
pub(crate) async fn set(
    allowed: Allowed<need::SecretsManage>,
    State(app): State<App>,
    NewName(name): NewName<NodeId>,
    Json(body): Json<SetCredential>,
) -> Answer<axum::Json<CredentialView>> {
    let credential = read(body)?;
    let caller = allowed.0;
    let by = caller.name();
    let opened = app.credentials.set(&caller.organisation, name.as_str(), credential, by, app.now()).await?;
    view(opened).map(axum::Json)
}

/// Remove a credential. Nodes that name it fail from now on.
#[utoipa::path(
    delete, path = "/credentials/{name}", tag = "people", operation_id = "remove_credential",
    params(("name" = String, Path, description = "Its name")),
    security(("token" = ["secrets:manage"])), responses((status = 204, description = "It is done"), Refusals)
)]
pub(crate) async fn remove(
    allowed: Allowed<need::SecretsManage>,
    State(app): State<App>,
    Path(name): Path<NodeId>,
) -> Answer<StatusCode> {
    app.credentials.remove(&allowed.0.organisation, name.as_str()).await?;
    Ok(StatusCode::NO_CONTENT)
}
