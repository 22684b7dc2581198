//! Requests to programs on the web: one request, whose answer says whether it has arrived.
//!
//! In comes where and what; out goes nothing, or a [`Failure`] without secrets. Deliberately not
//! done: redirects (a secret goes to nobody but whom the config names), cookies, connections
//! that are kept (the other side may have closed one by the time of the next message), and
//! another attempt, which is for a later run.

mod answer;
mod proxy;
mod tls;

use std::io::Read;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use ureq::http::Uri;
use ureq::{Agent, Body, RequestBuilder};

use super::failure::Failure;
use super::redact::Redactor;
use super::send::no_answer;
use crate::config::{Endpoint, Secret};

/// Bytes of an answer that are read.
const ANSWER_BYTES: u64 = 4096;
/// Bytes of the headers of an answer.
const HEADER_BYTES: usize = 32 * 1024;
/// The name of the program to the other side.
const USER_AGENT: &str = concat!("tripline/", env!("CARGO_PKG_VERSION"));

/// A program on the web, for many messages.
pub(super) struct Client {
    endpoint: Endpoint,
    /// How the token is sent.
    token_as: TokenAs,
    agent: OnceLock<Agent>,
}

/// How a token is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenAs {
    /// `Authorization: Bearer` (RFC 6750).
    Bearer,
    /// A header of its own.
    Header(&'static str),
}

/// One attempt: with the secrets read, and an end.
pub(super) struct Attempt<'a> {
    client: &'a Client,
    /// Where the config says.
    pub(super) url: String,
    token: Option<String>,
    redactor: Redactor,
    patience: Duration,
    until: Instant,
}

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Post<'a> {
    pub(super) url: &'a str,
    /// The same for every attempt: who has seen it already has got it twice.
    pub(super) key: &'a str,
    pub(super) content_type: &'a str,
    pub(super) body: &'a [u8],
}

impl Client {
    pub(super) fn new(endpoint: &Endpoint, token_as: TokenAs) -> Self {
        Self { endpoint: endpoint.clone(), token_as, agent: OnceLock::new() }
    }

    /// Begins an attempt, which ends after `patience`.
    ///
    /// # Errors
    /// When a secret is not where the config says.
    pub(super) fn attempt(&self, patience: Duration) -> Result<Attempt<'_>, Failure> {
        let url = read(&self.endpoint.url)?;
        let token = self.endpoint.token.as_ref().map(read).transpose()?;
        let mut redactor = Redactor::default();
        redactor.hide_url(&url);
        let headers = self.endpoint.headers.iter().map(|(_, value)| value);
        for secret in token.iter().chain(headers) {
            redactor.hide(secret);
        }
        let until = Instant::now() + patience;
        Ok(Attempt { client: self, url, token, redactor, patience, until })
    }

    /// What holds the settings of connections. Made once, as reading all certificates of the
    /// system takes a moment.
    fn agent(&self, uri: &Uri) -> Result<&Agent, Failure> {
        if let Some(agent) = self.agent.get() {
            return Ok(agent);
        }
        let is_safe = uri.scheme_str() == Some("https");
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections(0)
            .max_response_header_size(HEADER_BYTES)
            .user_agent(USER_AGENT)
            .proxy(proxy::of(uri)?);
        if is_safe {
            config = config.tls_config(tls::config(&self.endpoint.tls)?);
        }
        Ok(self.agent.get_or_init(|| config.build().new_agent()))
    }
}

impl Attempt<'_> {
    /// A secret that only one kind of service has.
    pub(super) fn read(&mut self, secret: &Secret) -> Result<String, Failure> {
        let secret = read(secret)?;
        self.redactor.hide(&secret);
        Ok(secret)
    }

    /// Sends a POST, and waits until it is answered or the time is over. Returns the status of the
    /// answer.
    ///
    /// # Errors
    /// When it has not arrived, or the other side refuses it.
    pub(super) fn post(&self, post: &Post<'_>) -> Result<String, Failure> {
        self.try_post(post).map_err(|failure| self.redacted(failure))
    }

    fn redacted(&self, mut failure: Failure) -> Failure {
        failure.reason = self.redactor.redact(&failure.reason);
        failure
    }

    /// The same without a body: a GET.
    ///
    /// # Errors
    /// As [`Attempt::post`].
    pub(super) fn get(&self, url: &str) -> Result<String, Failure> {
        let try_get = || {
            let uri = parse(url)?;
            let place = place(&uri);
            let request = self.client.agent(&uri)?.get(uri);
            self.judge(self.signed(request)?.call(), &place)
        };
        try_get().map_err(|failure| self.redacted(failure))
    }

    fn try_post(&self, post: &Post<'_>) -> Result<String, Failure> {
        let uri = parse(post.url)?;
        let place = place(&uri);
        let request = self
            .client
            .agent(&uri)?
            .post(uri)
            .header("content-type", post.content_type)
            .header("idempotency-key", post.key);
        self.judge(self.signed(request)?.send(post.body), &place)
    }

    /// A request with what the config says, and with its end.
    fn signed<B>(&self, mut request: RequestBuilder<B>) -> Result<RequestBuilder<B>, Failure> {
        let rest = self.until.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            return Err(no_answer(self.patience));
        }
        for (name, value) in &self.client.endpoint.headers {
            request = request.header(name, value);
        }
        if let Some(token) = &self.token {
            request = match self.client.token_as {
                TokenAs::Bearer => request.header("authorization", format!("Bearer {token}")),
                TokenAs::Header(name) => request.header(name, token),
            };
        }
        Ok(request.config().timeout_global(Some(rest)).build())
    }

    /// What an answer, or that there is none, means.
    fn judge(
        &self,
        answer: Result<ureq::http::Response<Body>, ureq::Error>,
        place: &str,
    ) -> Result<String, Failure> {
        let answer = answer.map_err(|error| answer::of_error(&error, place, self.patience))?;
        let (head, body) = answer.into_parts();
        if head.status.is_success() {
            return Ok(head.status.to_string());
        }
        let mut said = Vec::new();
        // What it says is a help, and not worth another failure.
        let _ = body.into_reader().take(ANSWER_BYTES).read_to_end(&mut said);
        // Before it is cut, which would leave a part of a secret.
        let said = self.redactor.redact(&String::from_utf8_lossy(&said));
        Err(answer::of_status(head.status, &head.headers, &said, place))
    }
}

fn read(secret: &Secret) -> Result<String, Failure> {
    secret.read().map_err(|error| Failure::of_channel(&error.to_string()))
}

/// The URL with a path after its own.
pub(super) fn join(url: &str, path: &str) -> String {
    let (address, query) = url.split_once('?').map_or((url, None), |(a, query)| (a, Some(query)));
    let joined = format!("{}{path}", address.trim_end_matches('/'));
    query.map_or_else(|| joined.clone(), |query| format!("{joined}?{query}"))
}

/// The URL in its parts. What is wrong is told without it: it may hold a secret.
fn parse(url: &str) -> Result<Uri, Failure> {
    let uri = url.parse::<Uri>().ok();
    let is_right = |uri: &Uri| {
        uri.host().is_some_and(|host| !host.is_empty())
            && matches!(uri.scheme_str(), Some("http" | "https"))
    };
    uri.filter(is_right)
        .ok_or_else(|| Failure::of_channel("the URL does not begin with https:// and a host"))
}

/// How the other side is called in messages: the rest of its URL may hold a secret.
fn place(uri: &Uri) -> String {
    let port = uri.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}/…", uri.scheme_str().unwrap_or_default(), uri.host().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_goes_before_the_query() {
        assert_eq!(join("http://a/", "/m"), "http://a/m");
        assert_eq!(join("http://a/b", "/m"), "http://a/b/m");
        assert_eq!(join("http://a/b/?x=y", "/m"), "http://a/b/m?x=y");
    }

    #[test]
    fn a_place_holds_no_secret() {
        let uri = parse("https://user:s3cret@example.com:8443/s3cret?s3cret").unwrap();
        assert_eq!(place(&uri), "https://example.com:8443/…");
        for wrong in ["s3cret", "/s3cret", "ftp://s3cret", "https://", "https://a b/s3cret"] {
            let failure = parse(wrong).unwrap_err();
            assert_eq!(failure.reason, "the URL does not begin with https:// and a host");
        }
    }
}
