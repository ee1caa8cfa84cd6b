//! The table of all routes. The router, the `Allow` header, the labels of metrics and the tests
//! read it.

use crate::domain::{alert::AlertAction, body::excerpt, team::Team, user_profile::UserProfile};
use crate::http::{
    admin::{backup, health, index, metrics, tls},
    control::{
        clock, events as changes, faults, is_enabled, requests, reset, seed, snapshots, state,
        tokens, verify, wait,
    },
    cors::cors,
    early_answer::EarlyAnswer,
    error::ApiError,
    methods::Verb::{self, Delete, Get, Post, Put},
    middleware::{self, RouteLabel},
    openapi,
    state::AppState,
    transport::sliced_body,
    v3::{
        accounts, alerts, broadcasts, dry_run, events, incidents, integrations, login, logs,
        resources,
    },
};
use actix_web::{
    App, Error, HttpMessage, HttpRequest, HttpResponse, Resource, Route,
    body::BoxBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    guard::fn_guard,
    http::{Method, header},
    middleware::from_fn,
    web::{self, Data, ServiceConfig},
};

/// A path and its handlers.
pub struct RouteSpec {
    path: &'static str,
    access: RouteAccess,
    handlers: Handlers,
}

type Handlers = &'static [(Verb, fn() -> Route)];

/// Who can reach a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RouteAccess {
    Everyone,
    /// Peers on this machine. For others, the route does not exist.
    LocalPeers,
    /// Callers of the control plane. Without it, the route does not exist.
    Control,
}

const fn route(path: &'static str, handlers: Handlers) -> RouteSpec {
    RouteSpec {
        path,
        access: RouteAccess::Everyone,
        handlers,
    }
}

const fn local(path: &'static str, handlers: Handlers) -> RouteSpec {
    RouteSpec {
        path,
        access: RouteAccess::LocalPeers,
        handlers,
    }
}

const fn control(path: &'static str, handlers: Handlers) -> RouteSpec {
    RouteSpec {
        path,
        access: RouteAccess::Control,
        handlers,
    }
}

/// All routes.
pub const ROUTES: &[RouteSpec] = &[
    route("/", &[(Get, || web::to(index::index))]),
    route(
        "/integration",
        &[
            (Get, || web::to(integrations::list)),
            (Post, || web::to(integrations::create)),
        ],
    ),
    route(
        "/integration/{id}",
        &[
            (Get, || web::to(integrations::get)),
            (Put, || web::to(integrations::update)),
            (Delete, || web::to(integrations::delete)),
            (Post, || web::to(events::receive)),
        ],
    ),
    route(
        "/integration/{id}/g",
        &[
            (Get, || web::to(events::receive)),
            (Post, || web::to(events::receive)),
        ],
    ),
    route(
        "/alert",
        &[
            (Get, || web::to(alerts::list)),
            (Post, || web::to(alerts::create)),
        ],
    ),
    // Before `/alert/{id}`, which would match it too.
    route(
        "/alert/mass-action",
        &[(Post, || web::to(alerts::apply_to_all))],
    ),
    route(
        "/alert/{id}",
        &[
            (Get, || web::to(alerts::get)),
            (Put, || web::to(alerts::update)),
            (Delete, || web::to(alerts::delete)),
        ],
    ),
    route(
        "/alert/{id}/acknowledge",
        &[(Post, || web::to(alerts::apply(AlertAction::Acknowledge)))],
    ),
    route(
        "/alert/{id}/resolve",
        &[(Post, || web::to(alerts::apply(AlertAction::Resolve)))],
    ),
    route(
        "/alert/{id}/reject",
        &[(Post, || web::to(alerts::apply(AlertAction::Reject)))],
    ),
    route(
        "/alert/{id}/archive",
        &[(Post, || web::to(alerts::apply(AlertAction::Archive)))],
    ),
    route(
        "/log",
        &[
            (Get, || web::to(logs::list)),
            (Post, || web::to(logs::create)),
        ],
    ),
    route("/log/{id}", &[(Get, || web::to(logs::get))]),
    route(
        "/user",
        &[
            (Get, || web::to(resources::list::<UserProfile>)),
            (Post, || web::to(resources::create::<UserProfile>)),
        ],
    ),
    route(
        "/user/{id}",
        &[
            (Get, || web::to(resources::get::<UserProfile>)),
            (Put, || web::to(resources::update::<UserProfile>)),
            (Delete, || web::to(resources::delete::<UserProfile>)),
        ],
    ),
    route(
        "/team",
        &[
            (Get, || web::to(resources::list::<Team>)),
            (Post, || web::to(resources::create::<Team>)),
        ],
    ),
    route(
        "/team/{id}",
        &[
            (Get, || web::to(resources::get::<Team>)),
            (Put, || web::to(resources::update::<Team>)),
            (Delete, || web::to(resources::delete::<Team>)),
        ],
    ),
    route(
        "/team/{id}/current-oncall",
        &[(Get, || web::to(resources::current_oncall))],
    ),
    route("/account/{id}", &[(Get, || web::to(accounts::get))]),
    // The older name of `/alert`.
    route(
        "/incident",
        &[
            (Get, || web::to(alerts::list)),
            (Post, || web::to(incidents::create)),
        ],
    ),
    route(
        "/incident/{id}",
        &[
            (Get, || web::to(alerts::get)),
            (Put, || web::to(incidents::update)),
            (Delete, || web::to(alerts::delete)),
        ],
    ),
    route("/incident/{id}/logs", &[(Get, || web::to(incidents::logs))]),
    route(
        "/incident/{id}/acknowledge",
        &[(Post, || web::to(alerts::apply(AlertAction::Acknowledge)))],
    ),
    route(
        "/incident/{id}/reject",
        &[(Post, || web::to(alerts::apply(AlertAction::Reject)))],
    ),
    route(
        "/incident/{id}/resolve",
        &[(Post, || web::to(alerts::apply(AlertAction::Resolve)))],
    ),
    route(
        "/incident/{id}/archive",
        &[(Post, || web::to(alerts::apply(AlertAction::Archive)))],
    ),
    route(
        "/broadcast",
        &[
            (Get, || web::to(broadcasts::list)),
            (Post, || web::to(broadcasts::create)),
        ],
    ),
    route(
        "/broadcast/{id}",
        &[
            (Get, || web::to(broadcasts::get)),
            (Delete, || web::to(broadcasts::delete)),
        ],
    ),
    route("/public/login", &[(Post, || web::to(login::login))]),
    route("/livez", &[(Get, || web::to(health::livez))]),
    route("/readyz", &[(Get, || web::to(health::readyz))]),
    route("/metrics", &[(Get, || web::to(metrics::scrape))]),
    route("/openapi.json", &[(Get, || web::to(openapi::describe))]),
    route(
        "/_local/openapi.json",
        &[(Get, || web::to(openapi::describe))],
    ),
    route("/_local/ca.pem", &[(Get, || web::to(tls::ca_certificate))]),
    local("/_local/backup", &[(Get, || web::to(backup::backup))]),
    local("/_local/export", &[(Get, || web::to(backup::export))]),
    route(
        "/_local/integration/{id}/try",
        &[(Post, || web::to(dry_run::dry_run))],
    ),
    // What PagerTree does when it finds no responder.
    route(
        "/_local/alert/{id}/drop",
        &[(Post, || web::to(alerts::apply(AlertAction::Drop)))],
    ),
    control(
        "/_local/clock",
        &[
            (Get, || web::to(clock::get)),
            (Put, || web::to(clock::change)),
            (Delete, || web::to(clock::clear)),
        ],
    ),
    control(
        "/_local/seed",
        &[
            (Get, || web::to(seed::get)),
            (Put, || web::to(seed::set)),
            (Delete, || web::to(seed::clear)),
        ],
    ),
    control(
        "/_local/state",
        &[
            (Get, || web::to(state::get)),
            (Put, || web::to(state::replace)),
        ],
    ),
    control(
        "/_local/snapshots",
        &[
            (Get, || web::to(snapshots::list)),
            (Delete, || web::to(snapshots::delete_all)),
        ],
    ),
    control(
        "/_local/snapshots/{name}",
        &[
            (Put, || web::to(snapshots::take)),
            (Delete, || web::to(snapshots::delete)),
        ],
    ),
    control(
        "/_local/snapshots/{name}/restore",
        &[(Post, || web::to(snapshots::restore))],
    ),
    control("/_local/tokens", &[(Post, || web::to(tokens::issue))]),
    control(
        "/_local/tokens/{id}",
        &[(Delete, || web::to(tokens::revoke))],
    ),
    control("/_local/diff", &[(Get, || web::to(snapshots::diff))]),
    control("/_local/reset", &[(Post, || web::to(reset::reset))]),
    control(
        "/_local/requests",
        &[
            (Get, || web::to(requests::list)),
            (Delete, || web::to(requests::delete)),
        ],
    ),
    control(
        "/_local/faults",
        &[
            (Put, || web::to(faults::replace)),
            (Get, || web::to(faults::get)),
            (Delete, || web::to(faults::delete)),
        ],
    ),
    control("/_local/events", &[(Get, || web::to(changes::follow))]),
    control("/_local/verify", &[(Post, || web::to(verify::verify))]),
    control("/_local/wait", &[(Get, || web::to(wait::wait))]),
];

impl RouteSpec {
    /// The path, with `{id}` for parameters.
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// The value of `Allow`: all methods of the route, sorted.
    pub fn allow(&self) -> String {
        let handled = self.handlers.iter().flat_map(|(verb, _)| verb.methods());
        let mut methods: Vec<&str> = handled.map(Method::as_str).collect();
        methods.push("OPTIONS");
        methods.sort_unstable();
        methods.join(", ")
    }

    fn resource(&'static self) -> Resource {
        let mut resource = web::resource(self.path).app_data(RouteLabel(self.path));
        match self.access {
            RouteAccess::Everyone => {}
            RouteAccess::LocalPeers => resource = resource.guard(fn_guard(backup::is_local_peer)),
            RouteAccess::Control => resource = resource.guard(fn_guard(is_enabled)),
        }

        for (verb, handler) in self.handlers {
            for method in verb.methods() {
                resource = resource.route(handler().method(method.clone()));
            }
        }

        resource
            .route(web::method(Method::OPTIONS).to(move || async move {
                HttpResponse::NoContent()
                    .insert_header((header::ALLOW, self.allow()))
                    .finish()
            }))
            .default_service(web::to(move || async move {
                Err::<HttpResponse, _>(ApiError::MethodNotAllowed {
                    allow: self.allow(),
                })
            }))
    }
}

fn configure(config: &mut ServiceConfig) {
    for route in ROUTES {
        config.service(route.resource());
    }
    config.default_service(web::to(not_found));
}

async fn not_found(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    // The middleware sends requests here that it has answered itself.
    if let Some(EarlyAnswer(outcome)) = request.extensions_mut().remove::<EarlyAnswer>() {
        return outcome;
    }
    Err(ApiError::NoSuchRoute {
        path: excerpt(request.path()),
    })
}

/// The whole application: the routes, and the middleware that every request passes.
pub(super) fn app(
    state: Data<AppState>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    App::new()
        .app_data(state.clone())
        .configure(configure)
        .wrap(from_fn(sliced_body::slice_large_bodies))
        .wrap(cors(state))
        .wrap(from_fn(middleware::observe))
}
