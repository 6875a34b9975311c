//! Signing in.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use windflow_core::id::OrganisationId;

use super::extract::{Json, Known};
use super::refresh_cookie;
use super::refusals::Refusals;
use super::views::UserView;
use crate::access::{Permission, Role};
use crate::audit::Asker;
use crate::people::{NewUser, SignedIn, Who};
use crate::problem::{Answer, Problem};
use crate::state::App;

/// The first person of an installation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Setup {
    /// What the server printed at its start.
    token: String,
    #[schema(example = "ada@example.org", format = "email", max_length = 254)]
    email: String,
    #[serde(default)]
    #[schema(max_length = 100)]
    name: String,
    /// At least ten characters.
    #[schema(min_length = 10, max_length = 256)]
    password: String,
    /// The id of the organisation, `local` where nothing is said. It is part of the addresses of webhooks.
    #[schema(pattern = "^[a-z][a-z0-9_-]*$", max_length = 64)]
    organisation: Option<String>,
    /// Keep the refresh token in a cookie that scripts cannot read, instead of telling it.
    #[serde(default)]
    cookie: bool,
}

/// Who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    #[schema(example = "ada@example.org")]
    email: String,
    password: String,
    /// Keep the refresh token in a cookie that scripts cannot read, instead of telling it.
    #[serde(default)]
    cookie: bool,
}

/// A refresh token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refresh {
    /// The one in the cookie where none is given.
    refresh_token: Option<String>,
}

impl Refresh {
    /// The token, and whether it came as a cookie.
    fn token(self, headers: &HeaderMap) -> Answer<(String, bool)> {
        if let Some(token) = self.refresh_token {
            return Ok((token, false));
        }
        let none = || Problem::unauthorized("there is no refresh token here").remedy("sign in");
        refresh_cookie::get(headers).map(|token| (token, true)).ok_or_else(none)
    }
}

/// What whoever opens the editor has to know before anybody signed in.
#[derive(Serialize, ToSchema)]
pub(crate) struct SignInState {
    /// Nobody is there yet: the first person is made with the token that the server printed.
    setup_needed: bool,
}

/// Tokens of a session.
#[derive(Serialize, ToSchema)]
pub(crate) struct Tokens {
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds until the access token expires.
    expires_in: u64,
    /// Valid once, for 30 days. Not told where it is kept in a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    organisation: String,
    user: UserView,
}

/// Tells the tokens; the refresh token in a cookie where that was asked for.
fn signed_in(app: &App, status: StatusCode, signed_in: SignedIn, cookie: bool) -> Response {
    let mut tokens = Tokens::from(signed_in);
    let mut headers = HeaderMap::new();
    if cookie && let Some(value) = refresh_cookie::set(app, tokens.refresh_token.take().as_deref()) {
        headers.insert(header::SET_COOKIE, value);
    }
    (status, headers, axum::Json(tokens)).into_response()
}

impl From<SignedIn> for Tokens {
    fn from(signed_in: SignedIn) -> Self {
        Self {
            access_token: signed_in.access_token,
            token_type: "Bearer",
            expires_in: signed_in.expires_in,
            refresh_token: Some(signed_in.refresh_token),
            organisation: signed_in.organisation.to_string(),
            user: signed_in.user.into(),
        }
    }
}

/// Who asks.
#[derive(Serialize, ToSchema)]
pub(crate) struct Me {
    organisation: String,
    user: UserView,
    /// The name of the API key, where it is one that asks.
    key: Option<String>,
    /// What may be done.
    permissions: Vec<Permission>,
}

/// Make the first person, who owns the installation. Works once.
#[utoipa::path(
    post, path = "/auth/setup", tag = "auth", security(()), request_body = Setup,
    responses((status = 201, description = "It is made", body = Tokens), Refusals)
)]
pub(crate) async fn setup(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    Json(setup): Json<Setup>,
) -> Answer<Response> {
    let organisation = match setup.organisation {
        Some(id) => id.parse().map_err(|error| Problem::invalid("invalid_organisation", format!("{error}")))?,
        None => OrganisationId::local(),
    };
    let owner =
        NewUser { organisation, email: setup.email, name: setup.name, role: Role::Admin, password: setup.password };
    let made = app.people.set_up(&setup.token, owner, app.now()).await?;
    asker.is(&made.organisation, format!("user:{}", made.user.email));
    Ok(signed_in(&app, StatusCode::CREATED, made, setup.cookie))
}

/// Sign in by e-mail address and password.
#[utoipa::path(
    post, path = "/auth/login", tag = "auth", security(()), request_body = Login,
    responses((status = 200, description = "As asked", body = Tokens), Refusals)
)]
pub(crate) async fn login(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    Json(login): Json<Login>,
) -> Answer<Response> {
    let known = app.people.sign_in(&login.email, &login.password, app.now()).await?;
    asker.is(&known.organisation, format!("user:{}", known.user.email));
    Ok(signed_in(&app, StatusCode::OK, known, login.cookie))
}

/// Change a refresh token for new tokens. One that is shown again more than half a minute after it was replaced ends its session.
#[utoipa::path(
    post, path = "/auth/refresh", tag = "auth", security(()), request_body = Refresh,
    responses((status = 200, description = "As asked", body = Tokens), Refusals)
)]
pub(crate) async fn refresh(
    State(app): State<App>,
    headers: HeaderMap,
    Json(refresh): Json<Refresh>,
) -> Answer<Response> {
    let (token, cookie) = refresh.token(&headers)?;
    let renewed = app.people.refresh(&token, app.now()).await?;
    Ok(signed_in(&app, StatusCode::OK, renewed, cookie))
}

/// Another password for oneself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangePassword {
    /// The one so far.
    current: String,
    /// At least ten characters.
    #[schema(min_length = 10, max_length = 256)]
    new: String,
    /// Keep the refresh token in a cookie that scripts cannot read, instead of telling it.
    #[serde(default)]
    cookie: bool,
}

/// Change one's own password. All one's sessions end; the answer is a new one. Not for API keys.
#[utoipa::path(
    post, path = "/auth/password", tag = "auth", operation_id = "change_password", security(("token" = [])),
    request_body = ChangePassword, responses((status = 200, description = "As asked", body = Tokens), Refusals)
)]
pub(crate) async fn password(
    known: Known,
    State(app): State<App>,
    Json(change): Json<ChangePassword>,
) -> Answer<Response> {
    let caller = known.0;
    if !matches!(caller.who, Who::Person) {
        let problem = Problem::new(StatusCode::FORBIDDEN, "forbidden", "an API key cannot change a password");
        return Err(problem.remedy("sign in as the person"));
    }
    let ChangePassword { current, new, cookie } = change;
    let made = app.people.change_password(caller.organisation, caller.user, &current, new, app.now()).await?;
    Ok(signed_in(&app, StatusCode::OK, made, cookie))
}

/// End a session: its refresh token and its access tokens are void at once.
#[utoipa::path(
    post, path = "/auth/logout", tag = "auth", security(()), request_body = Refresh,
    responses((status = 204, description = "It is done"), Refusals)
)]
pub(crate) async fn logout(
    State(app): State<App>,
    headers: HeaderMap,
    Json(refresh): Json<Refresh>,
) -> Answer<Response> {
    let (token, cookie) = refresh.token(&headers)?;
    app.people.sign_out(&token, app.now()).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(taken_away) = refresh_cookie::set(&app, None).filter(|_| cookie) {
        response.headers_mut().insert(header::SET_COOKIE, taken_away);
    }
    Ok(response)
}

/// Whether there is anybody to sign in as.
#[utoipa::path(
    get, path = "/auth/state", tag = "auth", operation_id = "sign_in_state", security(()),
    responses((status = 200, description = "As asked", body = SignInState), Refusals)
)]
pub(crate) async fn state(State(app): State<App>) -> axum::Json<SignInState> {
    axum::Json(SignInState { setup_needed: app.people.setup_token().is_some() })
}

/// Who I am, and what I may do.
#[utoipa::path(get, path = "/auth/me", tag = "auth", security(("token" = [])), responses((status = 200, description = "As asked", body = Me), Refusals))]
pub(crate) async fn me(Known(caller): Known) -> axum::Json<Me> {
    let key = match &caller.who {
        Who::Person => None,
        Who::Key(key) => Some(key.name.clone()),
    };
    axum::Json(Me {
        organisation: caller.organisation.to_string(),
        key,
        permissions: caller.permissions.into_iter().collect(),
        user: caller.user.into(),
    })
}
