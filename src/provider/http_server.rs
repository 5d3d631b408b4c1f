//! Owns the HTTP side of the credential server: connections of this user alone, the name that was asked for, and nothing
//! but GET.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};

use crate::error::{Error, Result};
use crate::secret::Secret;

/// How often it is looked whether the server has done its work.
const TICK: Duration = Duration::from_secs(1);
/// How long a client may take to say what it wants.
const HEADER_LIMIT: Duration = Duration::from_secs(5);
/// Requests that wait at once; others wait for them.
const WAITING: usize = 64;

/// What was asked.
pub struct Incoming<'r> {
    pub path: &'r str,
    pub authorization: Option<&'r str>,
}

/// What is answered.
pub struct Answer {
    status: u16,
    body: Secret,
}

impl Answer {
    #[must_use]
    pub fn json(status: u16, body: Secret) -> Self {
        Answer { status, body }
    }

    /// An error, in the two spellings that SDKs look for.
    #[must_use]
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        let body = serde_json::json!({"code": code, "message": message, "Code": code, "Message": message});
        Answer { status, body: Secret::new(body.to_string()) }
    }
}

/// Who answers.
pub trait Handler: Send + Sync + 'static {
    /// The answer that needs no waiting.
    fn at_once(&self, incoming: &Incoming<'_>) -> Option<Answer>;

    /// The answer, waited for.
    fn wait(&self, incoming: &Incoming<'_>) -> Answer;

    /// Whether the server may end.
    fn is_done(&self) -> bool;
}

/// An address that is listened at.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// # Errors
    /// When the address is taken, or not this machine's.
    pub fn bind(address: IpAddr, port: u16) -> Result<Self> {
        let taken = |error: std::io::Error| {
            Error::failed(format!("cannot listen at {address}:{port}"), error)
                .hint("awsenv server start --port PORT; without --port any free one is taken")
        };
        let socket = TcpListener::bind((address, port)).map_err(taken)?;
        socket.set_nonblocking(true).map_err(taken)?;
        let address = socket.local_addr().map_err(taken)?;
        Ok(Listener { socket, address })
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Serves until the handler has done its work.
///
/// # Errors
/// When the runtime cannot be started.
pub fn serve(listeners: Vec<Listener>, handler: impl Handler) -> Result<()> {
    let failed = |error: std::io::Error| Error::failed("the credential server cannot start", error);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(WAITING).build().map_err(failed)?;
    let handler = Arc::new(handler);
    runtime.block_on(async {
        for listener in listeners {
            let socket = tokio::net::TcpListener::from_std(listener.socket).map_err(failed)?;
            tokio::task::spawn(accept(socket, listener.address, Arc::clone(&handler)));
        }
        while !handler.is_done() {
            tokio::time::sleep(TICK).await;
        }
        Ok(())
    })
}

async fn accept<H: Handler>(socket: tokio::net::TcpListener, address: SocketAddr, handler: Arc<H>) {
    loop {
        // Out of file descriptors, most likely: those that are in use come back.
        let Ok((stream, peer)) = socket.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        // Small answers go out at once.
        let _best_effort = stream.set_nodelay(true);
        let allowed = !address.ip().is_loopback() || is_own(peer, address);
        let handler = Arc::clone(&handler);
        let service = service_fn(move |request: Request<hyper::body::Incoming>| {
            let handler = Arc::clone(&handler);
            async move { Ok::<_, Infallible>(response(&answer(&request, address, allowed, handler).await)) }
        });
        let mut server = http1::Builder::new();
        server.timer(TokioTimer::new()).header_read_timeout(HEADER_LIMIT);
        // A client that hangs up ends its own connection.
        tokio::task::spawn(async move {
            let _ended = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer<H: Handler>(
    request: &Request<hyper::body::Incoming>,
    address: SocketAddr,
    allowed: bool,
    handler: Arc<H>,
) -> Answer {
    let header = |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if !allowed {
        return Answer::error(403, "AccessDenied", "this server answers its own user alone");
    }
    // A page in a browser can make a name of its own lead here, but not say another name than its own.
    if !header(HOST).is_some_and(|host| is_ours(host, address)) {
        return Answer::error(403, "AccessDenied", "this server goes by its address alone");
    }
    if request.method() != Method::GET {
        return Answer::error(405, "MethodNotAllowed", "only GET is answered");
    }
    let incoming = Incoming { path: request.uri().path(), authorization: header(AUTHORIZATION) };
    if let Some(answer) = handler.at_once(&incoming) {
        return answer;
    }
    let (path, authorization) = (incoming.path.to_owned(), incoming.authorization.map(Secret::new));
    let waited = tokio::task::spawn_blocking(move || {
        handler.wait(&Incoming { path: &path, authorization: authorization.as_ref().map(Secret::expose) })
    });
    waited.await.unwrap_or_else(|_| Answer::error(500, "Failed", "awsenv failed; ask again"))
}

fn is_ours(host: &str, address: SocketAddr) -> bool {
    let (name, port) = host.rsplit_once(':').unwrap_or((host, "80"));
    let is_name = name == address.ip().to_string() || (name == "localhost" && address.ip().is_loopback());
    is_name && port == address.port().to_string()
}

fn response(answer: &Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(answer.body.expose().as_bytes())));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Whether a connection from loopback is of this user, or of root: Linux tells whose each socket is.
#[cfg(target_os = "linux")]
fn is_own(peer: SocketAddr, ours: SocketAddr) -> bool {
    let own = rustix::process::geteuid().as_raw();
    let Ok(table) = std::fs::read_to_string("/proc/net/tcp") else { return false };
    let (peer, ours) = (hex(peer), hex(ours));
    let owner = table.lines().find_map(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let is_it = fields.next()? == peer && fields.next()? == ours;
        fields.nth(4).filter(|_| is_it)?.parse::<u32>().ok()
    });
    owner.is_some_and(|uid| uid == own || uid == 0)
}

#[cfg(not(target_os = "linux"))]
fn is_own(_: SocketAddr, _: SocketAddr) -> bool {
    true
}

/// `0100007F:1F90`, as the kernel writes 127.0.0.1:8080.
#[cfg(target_os = "linux")]
fn hex(address: SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(ip) => format!("{:08X}:{:04X}", u32::from_ne_bytes(ip.octets()), address.port()),
        IpAddr::V6(_) => String::new(),
    }
}
