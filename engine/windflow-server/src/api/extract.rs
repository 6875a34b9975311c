//! Reading requests: every refusal is a problem that says what to mend.

use std::marker::PhantomData;
use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::IntoParams;
use windflow_core::id::InvalidId;

use super::{notifications, parameters};
use crate::access::Permission;
use crate::audit::Asker;
use crate::people::Caller;
use crate::plugins;
use crate::problem::{Answer, Problem};
use crate::state::App;

/// The permission that an endpoint asks for.
pub(crate) trait Need: Send + Sync {
    const PERMISSION: Permission;
}

macro_rules! needs {
    ($($name:ident),*) => {
        $(
            pub(crate) struct $name;
            impl Need for $name {
                const PERMISSION: Permission = Permission::$name;
            }
        )*
    };
}

/// Endpoints name what they need by these.
pub(crate) mod need {
    use super::{Need, Permission};
    needs!(
        WorkflowsRead,
        WorkflowsWrite,
        WorkflowsEnable,
        RunsRead,
        RunsStart,
        RunsOperate,
        SecretsManage,
        PeopleManage,
        MetricsRead,
        TargetsRead,
        TargetsManage,
        StacksRead,
        StacksWrite,
        StacksDeploy,
        TemplatesRead,
        TemplatesWrite,
        RegistriesManage,
        PluginsManage
    );
}

/// Somebody who has what the endpoint needs. Comes first among a handler's arguments, so that nothing of the request is
/// looked at before.
pub(crate) struct Allowed<N: Need>(pub(crate) Caller, PhantomData<N>);

impl<N: Need> FromRequestParts<App> for Allowed<N> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let caller = caller(parts, app)?;
        also(&caller, N::PERMISSION)?;
        Ok(Self(caller, PhantomData))
    }
}

/// Refuses whoever does not hold a permission: for what an endpoint does beyond what it is for.
pub(crate) fn also(caller: &Caller, permission: Permission) -> Result<(), Problem> {
    if caller.permissions.contains(&permission) {
        return Ok(());
    }
    let word = permission.word();
    Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", format!("this needs the permission {word}")).remedy(format!(
        "ask an admin for the role {}, or use a key with the scope {word}",
        permission.least_role().word()
    )))
}

/// Somebody who may change what all organisations share. Comes before the body: those who may not are told so at once.
pub(crate) struct OfWholeServer;

impl FromRequestParts<App> for OfWholeServer {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        plugins::of_whole_server(app, &caller(parts, app)?).map(|()| Self)
    }
}

/// Somebody who has shown who they are, whatever they may do.
pub(crate) struct Known(pub(crate) Caller);

impl FromRequestParts<App> for Known {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        caller(parts, app).map(Self)
    }
}

/// Who asks, as was found out before the handler.
#[derive(Clone)]
pub(crate) struct Identified(pub(crate) Answer<Caller>);

/// Finds out who asks.
pub(crate) fn identify(parts: &Parts, app: &App) -> Identified {
    let missing = || {
        Problem::unauthorized("this needs a token")
            .remedy("send `Authorization: Bearer TOKEN`, with an access token of /api/v1/auth/login or an API key")
    };
    let token = bearer(&parts.headers).or_else(|| notifications::offered_token(&parts.headers));
    Identified(token.ok_or_else(missing).and_then(|token| app.people.caller(token, app.now())))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn caller(parts: &Parts, app: &App) -> Answer<Caller> {
    let identified = parts.extensions.get::<Identified>().cloned();
    let caller = identified.unwrap_or_else(|| identify(parts, app)).0?;
    if let Some(asker) = parts.extensions.get::<Asker>() {
        asker.is(&caller.organisation, caller.name());
    }
    Ok(caller)
}

/// A part of the path. What cannot be a name or an id is not the name or id of anything.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Path<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        match axum::extract::Path::<T>::from_request_parts(parts, app).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(_) => Err(Problem::not_found("such thing: its name or id is not valid")),
        }
    }
}

/// The name in the path under which something is to be kept. One that is not allowed is told with the rule: it is not looked for.
pub(crate) struct NewName<T>(pub(crate) T);

impl<T: FromStr<Err = InvalidId> + Send> FromRequestParts<App> for NewName<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Path(name) = Path::<String>::from_request_parts(parts, app).await?;
        name.parse().map(Self).map_err(|error: InvalidId| {
            let shown: String = name.chars().take(80).collect();
            Problem::invalid("invalid_name", format!("{shown:?} is no name for this: {}", error.rule()))
        })
    }
}

/// The query. Which parameters there are was checked before.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned + IntoParams + Send> FromRequestParts<App> for Query<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        match axum::extract::Query::<T>::from_request_parts(parts, app).await {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(parameters::invalid::<T>(&rejection.body_text())),
        }
    }
}

/// A body of JSON.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        match axum::Json::<T>::from_request(request, app).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(rejection) => Err(match rejection {
                JsonRejection::JsonSyntaxError(error) => {
                    let said = error.body_text();
                    let why = said.strip_prefix("Failed to parse the request body as JSON: ").unwrap_or(&said);
                    Problem::new(StatusCode::BAD_REQUEST, "invalid_json", format!("the body is no JSON: {why}"))
                }
                JsonRejection::JsonDataError(error) => {
                    let said = error.body_text();
                    let prefix = "Failed to deserialize the JSON body into the target type: ";
                    Problem::invalid("invalid_body", said.strip_prefix(prefix).unwrap_or(&said))
                }
                JsonRejection::MissingJsonContentType(_) => Problem::new(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    "unsupported_media_type",
                    "the body has to be JSON",
                )
                .remedy("send `Content-Type: application/json`"),
                JsonRejection::BytesRejection(error) => body(&error),
                other => Problem::new(StatusCode::BAD_REQUEST, "invalid_body", other.body_text()),
            }),
        }
    }
}

fn body(rejection: &BytesRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is larger than this server takes");
    }
    Problem::new(StatusCode::BAD_REQUEST, "invalid_body", rejection.body_text())
}

/// A body as it came.
pub(crate) struct Raw(pub(crate) Bytes);

impl FromRequest<App> for Raw {
    type Rejection = Problem;
    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        Bytes::from_request(request, app).await.map(Self).map_err(|rejection| body(&rejection))
    }
}

/// A body that is a packed plugin. It may be large: only a few are taken at the same time, and each keeps its place as long as
/// this is there.
pub(crate) struct PackageBody(pub(crate) Bytes, #[expect(dead_code, reason = "held")] OwnedSemaphorePermit);

impl FromRequest<App> for PackageBody {
    type Rejection = Problem;
    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.split(';').next().is_none_or(|kind| !kind.trim().eq_ignore_ascii_case("application/wasm")) {
            let detail = "the body has to be a packed plugin";
            let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail);
            return Err(problem.remedy("send `Content-Type: application/wasm`"));
        }
        let place = app.packages.clone().try_acquire_owned().map_err(|_| {
            let detail = "others send plugins at this moment, as many as this server takes at a time";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail).retry_after(5)
        })?;
        let Raw(bytes) = Raw::from_request(request, app).await?;
        Ok(Self(bytes, place))
    }
}

/// A body that is the text of a workflow.
pub(crate) struct Document(pub(crate) String);

const YAML: [&str; 5] = ["application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml", "text/plain"];

impl FromRequest<App> for Document {
    type Rejection = Problem;
    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if !YAML.contains(&kind.as_str()) {
            let problem = Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "the body has to be the YAML text of a workflow",
            );
            return Err(problem.remedy("send `Content-Type: application/yaml`"));
        }
        let Raw(bytes) = Raw::from_request(request, app).await?;
        String::from_utf8(bytes.into())
            .map(Self)
            .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "invalid_text", "the body is no UTF-8 text"))
    }
}
