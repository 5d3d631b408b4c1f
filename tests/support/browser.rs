//! A person in front of a browser: signs in on the page that it is sent to, and follows the way back.

use std::io::{Read, Write};
use std::net::TcpStream;

/// What a browser gets from a page: the answer's head and body.
pub fn get(url: &str) -> std::io::Result<String> {
    let (host, path) = url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).unwrap_or_default();
    let mut stream = TcpStream::connect(host)?;
    write!(stream, "GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// The page that the sign-in page leads to.
pub fn follow(page: &str) -> std::io::Result<String> {
    let answer = get(page)?;
    match answer.lines().find_map(|line| line.strip_prefix("location: ")) {
        Some(location) => get(location),
        None => Ok(answer),
    }
}
