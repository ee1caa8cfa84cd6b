//! The table of all routes.

use crate::http::{
    admin::backup, admin::health, admin::index, error::ApiError, metrics, middleware,
    state::AppState, transport::sliced_body, v3::alerts, v3::events, v3::integrations, v3::login,
    v3::logs,
};
use actix_cors::Cors;
use actix_web::{
    App, Error, FromRequest, Handler, HttpMessage, HttpRequest, HttpResponse, Resource, Responder,
    Route,
    body::BoxBody,
    dev::{RequestHead, ServiceFactory, ServiceRequest, ServiceResponse},
    guard::fn_guard,
    http::header::{self, HeaderValue},
    middleware::from_fn,
    web::{self, Data, ServiceConfig},
};

fn table(config: &mut ServiceConfig) {
    config
        .service(at("/").get(index::index).done())
        .service(
            at("/integration")
                .get(integrations::list)
                .post(integrations::create)
                .done(),
        )
        .service(
            at("/integration/{id}")
                .get(integrations::get)
                .put(integrations::update)
                .delete(integrations::delete)
                .post(events::receive)
                .done(),
        )
        .service(
            at("/integration/{id}/g")
                .get(events::receive)
                .post(events::receive)
                .done(),
        )
        .service(at("/alert").get(alerts::list).post(alerts::create).done())
        .service(
            at("/alert/{id}")
                .get(alerts::get)
                .put(alerts::update)
                .delete(alerts::delete)
                .done(),
        )
        .service(
            at("/alert/{id}/acknowledge")
                .post(alerts::acknowledge)
                .done(),
        )
        .service(at("/alert/{id}/resolve").post(alerts::resolve).done())
        .service(at("/alert/{id}/archive").post(alerts::archive).done())
        .service(at("/log").get(logs::list).done())
        .service(at("/log/{id}").get(logs::get).done())
        .service(at("/public/login").post(login::login).done())
        .service(at("/livez").get(health::livez).done())
        .service(at("/readyz").get(health::readyz).done())
        .service(at("/_local/backup").only_here().get(backup::backup).done())
        .service(at("/_local/export").only_here().get(backup::export).done())
        .service(at("/_local/alert/{id}/drop").post(alerts::drop).done())
        .service(at("/metrics").get(metrics::scrape).done())
        .default_service(web::to(no_such_route));
}

/// The whole HTTP service: the table, and what every request passes on its way there.
pub(super) fn service(
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
        .configure(table)
        .wrap(from_fn(sliced_body::slice_large_bodies))
        .wrap(cors(state))
        .wrap(from_fn(middleware::observe))
}

/// The pattern of a route, for metrics.
#[derive(Clone, Copy)]
pub(super) struct RouteName(pub(super) &'static str);

/// One path and the methods it allows.
struct Methods {
    path: &'static str,
    resource: Resource,
    allow: Vec<&'static str>,
}

fn at(path: &'static str) -> Methods {
    Methods {
        path,
        resource: web::resource(path),
        allow: vec!["OPTIONS"],
    }
}

impl Methods {
    /// To peers on other machines there is no such route.
    fn only_here(mut self) -> Self {
        self.resource = self.resource.guard(fn_guard(backup::is_here));
        self
    }

    /// Allows GET and, with the same handler, HEAD; the server leaves the body out.
    fn get<H, A>(self, handler: H) -> Self
    where
        H: Handler<A> + Clone,
        A: FromRequest + 'static,
        H::Output: Responder + 'static,
    {
        self.allow("HEAD", web::head().to(handler.clone()))
            .allow("GET", web::get().to(handler))
    }

    fn post<H, A>(self, handler: H) -> Self
    where
        H: Handler<A>,
        A: FromRequest + 'static,
        H::Output: Responder + 'static,
    {
        self.allow("POST", web::post().to(handler))
    }

    fn put<H, A>(self, handler: H) -> Self
    where
        H: Handler<A>,
        A: FromRequest + 'static,
        H::Output: Responder + 'static,
    {
        self.allow("PUT", web::put().to(handler))
    }

    fn delete<H, A>(self, handler: H) -> Self
    where
        H: Handler<A>,
        A: FromRequest + 'static,
        H::Output: Responder + 'static,
    {
        self.allow("DELETE", web::delete().to(handler))
    }

    fn allow(mut self, method: &'static str, route: Route) -> Self {
        self.resource = self.resource.route(route);
        self.allow.push(method);
        self
    }

    /// Any other method is answered with what is allowed.
    fn done(mut self) -> Resource {
        self.allow.sort_unstable();
        // Once for each worker at start-up; the header needs a text that lives as long as the
        // routes do.
        let allow: &'static str = Box::leak(self.allow.join(", ").into_boxed_str());

        self.resource
            .app_data(RouteName(self.path))
            .route(
                web::method(actix_web::http::Method::OPTIONS).to(move || async move {
                    HttpResponse::NoContent()
                        .insert_header((header::ALLOW, allow))
                        .finish()
                }),
            )
            .default_service(web::to(move || async move {
                Err::<HttpResponse, _>(ApiError::MethodNotAllowed { allow })
            }))
    }
}

async fn no_such_route(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    if let Some(problem) = request.extensions_mut().remove::<ApiError>() {
        return Err(problem);
    }
    Err(ApiError::NoSuchRoute {
        path: crate::domain::body::excerpt(request.path()),
    })
}

/// The methods that routes have, one or another.
pub(super) const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"];

/// CORS for browsers: every documented method, whatever headers are asked for, and ours readable,
/// for the pages that may call.
fn cors(state: Data<AppState>) -> Cors {
    let admits = move |origin: &HeaderValue, _: &RequestHead| {
        let live = state.live.load();
        origin.to_str().is_ok_and(|origin| {
            live.allowed_origins
                .admit(origin, live.authenticator.requires_key())
        })
    };

    Cors::default()
        .allowed_origin_fn(admits)
        .allowed_methods(METHODS)
        .allow_any_header()
        .expose_headers([
            "ETag",
            "Link",
            "Location",
            "RateLimit",
            "RateLimit-Policy",
            "Request-Id",
            "Retry-After",
        ])
        .max_age(3600)
}
