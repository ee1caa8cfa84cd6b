//! TLS on accepted connections.

use super::socket::Socket;
use crate::http::error::encode_errors;
use actix_rt::net::TcpStream;
use arc_swap::ArcSwap;
use std::{fmt, io, sync::Arc, time::Duration};
use tokio::{io::AsyncWriteExt, time::timeout};
use tokio_rustls::rustls::ServerConfig;

/// Accepts TLS connections. Clones share one configuration, which a reload replaces.
#[derive(Clone)]
pub struct TlsAcceptor(Arc<ArcSwap<ServerConfig>>);

/// First byte of a TLS handshake. Source: RFC 8446, section 5.1.
const HANDSHAKE: u8 = 22;

const PLAIN_HTTP: &str = "This port expects TLS; use https:// instead of http://";

impl TlsAcceptor {
    /// An acceptor with this configuration.
    pub fn new(config: Arc<ServerConfig>) -> Self {
        Self(Arc::new(ArcSwap::new(config)))
    }

    /// Replaces the configuration for new connections.
    pub fn replace(&self, config: Arc<ServerConfig>) {
        self.0.store(config);
    }

    /// Completes the handshake. A client that speaks plain HTTP gets an answer that says so.
    ///
    /// # Errors
    /// The client does not complete a handshake within `limit`.
    pub(crate) async fn accept(&self, stream: TcpStream, limit: Duration) -> io::Result<Socket> {
        let handshake = async {
            let mut first = [0];
            stream.peek(&mut first).await?;
            if first != [HANDSHAKE] {
                return Err(refuse_plain(stream, first).await);
            }

            let acceptor = tokio_rustls::TlsAcceptor::from(self.0.load_full());
            Ok(Socket::Tls(Box::new(acceptor.accept(stream).await?)))
        };

        timeout(limit, handshake)
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }
}

/// Answers a client that did not begin a handshake, if it may speak HTTP.
async fn refuse_plain(mut stream: TcpStream, first: [u8; 1]) -> io::Error {
    if first[0].is_ascii_uppercase() {
        // The client is refused anyway; it may not read the reason.
        let _ignored = stream.write_all(plain_http_response().as_bytes()).await;
        let _ignored = stream.shutdown().await;
    }
    io::Error::new(io::ErrorKind::InvalidData, "the client does not speak TLS")
}

fn plain_http_response() -> String {
    let messages = [PLAIN_HTTP.to_owned()];
    let body = serde_json::to_string(&encode_errors(&messages)).unwrap_or_default();
    let length = body.len();
    format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-length: {length}\r\n\
         content-type: application/json\r\nconnection: close\r\n\r\n{body}"
    )
}

impl fmt::Debug for TlsAcceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsAcceptor").finish_non_exhaustive()
    }
}
