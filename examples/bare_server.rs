//! The baseline of `scripts/bench`: plain actix-web, which answers every GET with the bytes of a file.
//!
//! `cargo run --release --example bare_server -- FILE` prints `listening on http://…`, like the server.

use actix_web::{
    App, HttpResponse, HttpServer,
    http::header::ContentType,
    web::{self, Bytes},
};
use std::io;

#[actix_web::main]
async fn main() -> io::Result<()> {
    let path = std::env::args()
        .nth(1)
        .ok_or_else(|| io::Error::other("name the file to answer"))?;
    let body = Bytes::from(std::fs::read(path)?);
    let server = HttpServer::new(move || {
        let body = body.clone();
        let answer = move || {
            let body = body.clone();
            async move {
                HttpResponse::Ok()
                    .insert_header(ContentType::json())
                    .body(body)
            }
        };
        App::new()
            .route("/integration", web::get().to(answer.clone()))
            .route("/integration/{id}", web::get().to(answer.clone()))
            .route("/integration/{id}", web::head().to(answer))
    })
    .workers(1)
    .bind("127.0.0.1:0")?;
    for address in server.addrs() {
        println!("listening on http://{address}");
    }
    server.run().await
}
