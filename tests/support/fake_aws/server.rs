//! The HTTP side: one thread, loopback only.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use time::OffsetDateTime;
use time::macros::format_description;

use super::answer::Answer;
use super::world::{Fault, LoggedRequest, World};
use super::{console, identity_center, machine, signin, sigv4, sts};

pub struct Server {
    pub port: u16,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.take();
    }
}

impl Server {
    pub fn start(world: Arc<Mutex<World>>) -> Self {
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("non-blocking");
        let port = listener.local_addr().expect("bound").port();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                let accept = async {
                    loop {
                        let Ok((stream, _)) = listener.accept().await else { continue };
                        tokio::task::spawn(serve(stream, Arc::clone(&world)));
                    }
                };
                let (mut accept, mut stopped) = (std::pin::pin!(accept), std::pin::pin!(stopped));
                std::future::poll_fn(|context| match (accept.as_mut().poll(context), stopped.as_mut().poll(context)) {
                    (Poll::<Infallible>::Pending, Poll::Pending) => Poll::Pending,
                    _ => Poll::Ready(()),
                })
                .await;
            });
        });
        Server { port, stop: Some(stop) }
    }
}

async fn serve(stream: tokio::net::TcpStream, world: Arc<Mutex<World>>) {
    let service = service_fn(move |request| handle(request, Arc::clone(&world)));
    // A client that hangs up, and a fault that was asked for, end a connection; neither is this server's failure.
    let _ended = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn handle(request: Request<Incoming>, world: Arc<Mutex<World>>) -> Result<Response<Text>, String> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
    let (fault, delay) = {
        let mut world = world.lock().expect("no request panicked");
        (world.faults.pop_front(), world.delay_ms)
    };
    tokio::time::sleep(Duration::from_millis(delay)).await;
    let answer = match fault {
        None => answer(&parts, &body, &world),
        Some(fault) => {
            log(&parts, &body, &world);
            match fault {
                Fault::Throttle => sts::refuse(400, "Throttling", "Rate exceeded"),
                Fault::Status(status) => sts::refuse(status, "InternalFailure", "The request processing has failed."),
                Fault::Garbage => Answer::text(200, "<html>Please sign in to the hotel network</html>"),
                Fault::Reset => return Err("reset".into()),
                Fault::Truncate => {
                    return Ok(Response::new(Text { text: Some("<GetSessionTokenResponse><Get".into()), then_fail: true }));
                }
                Fault::Hang => {
                    tokio::time::sleep(Duration::from_secs(60)).await;
                    return Err("hung".into());
                }
            }
        }
    };
    let now = world.lock().expect("no request panicked").now();
    let response =
        Response::builder().status(answer.status).header("content-type", answer.content_type).header("date", http_date(now));
    let response = answer.headers.iter().fold(response, |response, (name, value)| response.header(*name, value));
    response.body(Text { text: Some(answer.body.into()), then_fail: false }).map_err(|error| error.to_string())
}

/// A body that may break off.
struct Text {
    text: Option<Bytes>,
    then_fail: bool,
}

impl Body for Text {
    type Data = Bytes;
    type Error = String;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, String>>> {
        Poll::Ready(match self.text.take() {
            Some(text) => Some(Ok(Frame::data(text))),
            None if self.then_fail => Some(Err("broken off".into())),
            None => None,
        })
    }
}

fn parameters(body: &[u8]) -> HashMap<String, String> {
    String::from_utf8_lossy(body)
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let hex: Vec<u8> = rest.by_ref().take(2).collect();
                bytes.push(u8::from_str_radix(&String::from_utf8_lossy(&hex), 16).unwrap_or(b'?'));
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn header(parts: &hyper::http::request::Parts, name: &str) -> Option<String> {
    parts.headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn logged(parts: &hyper::http::request::Parts, body: &[u8]) -> LoggedRequest {
    let parameters = parameters(body);
    let authorization = header(parts, "authorization").unwrap_or_default();
    let signed = sigv4::parse(&authorization);
    LoggedRequest {
        action: parameters.get("Action").cloned().unwrap_or_default(),
        access_key_id: signed.as_ref().map(|signed| signed.access_key_id.to_owned()).unwrap_or_default(),
        region: signed.as_ref().map(|signed| signed.region.to_owned()).unwrap_or_default(),
        parameters,
    }
}

fn log(parts: &hyper::http::request::Parts, body: &[u8], world: &Mutex<World>) {
    world.lock().expect("no request panicked").log.push(logged(parts, body));
}

/// The services that are told apart by their paths; STS has none.
fn answer(parts: &hyper::http::request::Parts, body: &[u8], world: &Mutex<World>) -> Answer {
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    let action = action(method, path);
    if action.is_empty() {
        return sts_answer(parts, body, world);
    }
    let query = parameters(parts.uri.query().unwrap_or_default().as_bytes());
    let mut world = world.lock().expect("no request panicked");
    world.log.push(LoggedRequest { action: action.into(), parameters: query.clone(), ..logged(parts, body) });
    let json = serde_json::from_slice(body).unwrap_or_default();
    let bearer = header(parts, "x-amz-sso_bearer_token");
    match action {
        "RegisterClient" => identity_center::register(&mut world, &json),
        "Authorize" => identity_center::authorize(&mut world, &query),
        "StartDeviceAuthorization" => identity_center::device_authorization(&mut world, &json),
        "CreateToken" => identity_center::token(&mut world, &json),
        "CreateOAuth2Token" => {
            let url = format!("http://{}{path}", header(parts, "host").unwrap_or_default());
            signin::token(&mut world, header(parts, "dpop").as_deref(), &url, &json)
        }
        "GetRoleCredentials" => identity_center::role_credentials(&mut world, bearer.as_deref(), &query),
        "ListAccounts" => identity_center::accounts(&world, bearer.as_deref(), &query),
        "ListAccountRoles" => identity_center::roles(&world, bearer.as_deref(), &query),
        "Federation" => console::federation(&mut world, &query),
        "Metadata" => machine::metadata(&mut world, method, path, |name| header(parts, name)),
        "Container" => machine::container(&mut world, header(parts, "authorization").as_deref()),
        _ => Answer::text(404, ""),
    }
}

fn action(method: &str, path: &str) -> &'static str {
    match (method, path) {
        ("POST", "/client/register") => "RegisterClient",
        ("GET", "/authorize") => "Authorize",
        ("POST", "/device_authorization") => "StartDeviceAuthorization",
        ("POST", "/token") => "CreateToken",
        ("POST", "/v1/token") => "CreateOAuth2Token",
        ("GET", "/federation/credentials") => "GetRoleCredentials",
        ("GET", "/assignment/accounts") => "ListAccounts",
        ("GET", "/assignment/roles") => "ListAccountRoles",
        ("GET", "/federation") => "Federation",
        ("GET", "/container/credentials") => "Container",
        (_, path) if path.starts_with("/latest/") => "Metadata",
        _ => "",
    }
}

fn sts_answer(parts: &hyper::http::request::Parts, body: &[u8], world: &Mutex<World>) -> Answer {
    let request = logged(parts, body);
    let mut world = world.lock().expect("no request panicked");
    if request.action == "AssumeRoleWithWebIdentity" {
        return sts::web_identity(&mut world, request);
    }
    let refuse = |world: &mut World, (status, code, message): (u16, &str, &str)| {
        world.log.push(logged(parts, body));
        sts::refuse(status, code, message)
    };
    let authorization = header(parts, "authorization").unwrap_or_default();
    let Some(signed) = sigv4::parse(&authorization) else {
        return refuse(&mut world, (403, "MissingAuthenticationToken", "Request is missing Authentication Token"));
    };
    let token = header(parts, "x-amz-security-token");
    let (secret, principal) = match world.signer(signed.access_key_id, token.as_deref()) {
        Ok(found) => found,
        Err(refusal) => return refuse(&mut world, refusal),
    };
    let moment = header(parts, "x-amz-date").unwrap_or_default();
    if let Some(message) = clock_problem(&moment, world.now()) {
        return refuse(&mut world, (403, "SignatureDoesNotMatch", &message));
    }
    if !sigv4::verify(&signed, &secret, parts.method.as_str(), parts.uri.path(), |name| header(parts, name), body) {
        let message = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
        return refuse(&mut world, (403, "SignatureDoesNotMatch", message));
    }
    sts::answer(&mut world, &principal, request)
}

/// Five minutes either way.
fn clock_problem(moment: &str, now: u64) -> Option<String> {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let signed = time::PrimitiveDateTime::parse(moment, &format).ok()?.assume_utc().unix_timestamp();
    let ours = OffsetDateTime::from_unix_timestamp(now.cast_signed()).ok()?.format(&format).ok()?;
    let behind = now.cast_signed() - signed;
    match behind {
        300.. => Some(format!("Signature expired: {moment} is now earlier than {ours} - 5 min.")),
        ..=-300 => Some(format!("Signature not yet current: {moment} is still later than {ours} + 5 min.")),
        _ => None,
    }
}

fn http_date(now: u64) -> String {
    let format = format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
    OffsetDateTime::from_unix_timestamp(now.cast_signed()).expect("in range").format(&format).expect("formats")
}
