//! A server on the web that notes what it is asked, and answers as a test wants it to.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A whole answer.
    Whole { status: u16, headers: Vec<(&'static str, String)>, body: String },
    /// None, with the connection open.
    Never,
    /// One byte after the other, without an end.
    Slowly,
    /// The connection is closed instead.
    Close,
    /// A whole head, and a body that does not end.
    HeadOnly(u16),
    /// Something else than HTTP.
    Nonsense,
    /// What is said for the request of this number, from 0 on.
    By(fn(usize) -> Answer),
    /// As a proxy: passes on what follows to where it is asked for.
    Tunnel,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// In small letters.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    scheme: &'static str,
}

struct Shared {
    answer: Mutex<Answer>,
    requests: Mutex<Vec<Request>>,
    has_come: Condvar,
    /// Those that are open, by their number, to be closed at the end.
    streams: Mutex<BTreeMap<usize, TcpStream>>,
    /// Is dropped at the end.
    stop: Mutex<Option<mpsc::Sender<()>>>,
    stopped: Mutex<mpsc::Receiver<()>>,
    tls: Option<Arc<ServerConfig>>,
}

/// An answer with a status and a body.
pub(crate) fn status(status: u16, body: &str) -> Answer {
    Answer::Whole { status, headers: Vec::new(), body: body.to_owned() }
}

/// An answer with a status and a header.
pub(crate) fn with_header(status: u16, name: &'static str, value: &str) -> Answer {
    Answer::Whole { status, headers: vec![(name, value.to_owned())], body: String::new() }
}

impl Server {
    /// One that takes everything.
    pub(crate) fn new() -> Self {
        Self::start(None)
    }

    /// The same with TLS.
    pub(crate) fn with_tls(config: ServerConfig) -> Self {
        Self::start(Some(Arc::new(config)))
    }

    fn start(tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (stop, stopped) = mpsc::channel();
        let shared = Arc::new(Shared {
            answer: Mutex::new(status(200, "ok")),
            requests: Mutex::default(),
            has_come: Condvar::new(),
            streams: Mutex::default(),
            stop: Mutex::new(Some(stop)),
            stopped: Mutex::new(stopped),
            tls,
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                if accepting.stop.lock().unwrap().is_none() {
                    break;
                }
                let (stream, shared) = (stream.unwrap(), Arc::clone(&accepting));
                shared.streams.lock().unwrap().insert(number, stream.try_clone().unwrap());
                thread::spawn(move || {
                    // Connections that break are what this is for.
                    let _ = shared.serve(stream);
                    shared.streams.lock().unwrap().remove(&number);
                });
            }
        });
        Self { address, shared, scheme }
    }

    /// The URL of a path here, which begins with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}://localhost:{}{path}", self.scheme, self.address.port())
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// From now on it answers so.
    pub(crate) fn answers(&self, answer: Answer) {
        *self.shared.answer.lock().unwrap() = answer;
    }

    /// What has come since it was last asked for.
    pub(crate) fn take(&self) -> Vec<Request> {
        std::mem::take(&mut self.shared.requests.lock().unwrap())
    }

    /// The only request that has come since, or the next one to come.
    pub(crate) fn take_one(&self) -> Request {
        let requests = self.shared.requests.lock().unwrap();
        let (mut requests, waited) = self
            .shared
            .has_come
            .wait_timeout_while(requests, Duration::from_secs(60), |requests| requests.is_empty())
            .unwrap();
        assert!(!waited.timed_out(), "nothing has come");
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests.remove(0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.lock().unwrap().take();
        // Wakes up the thread that waits for connections.
        let _ = TcpStream::connect(self.address);
        for stream in self.shared.streams.lock().unwrap().values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

impl Shared {
    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        let plain = stream.try_clone()?;
        let mut stream: Box<dyn Stream> = match &self.tls {
            None => Box::new(stream),
            Some(config) => {
                let connection =
                    ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
                Box::new(StreamOwned::new(connection, stream))
            }
        };
        let request = read_request(&mut stream)?;
        let path = request.path.clone();
        let number = {
            let mut requests = self.requests.lock().unwrap();
            requests.push(request);
            requests.len() - 1
        };
        self.has_come.notify_all();
        let answer = match self.answer.lock().unwrap().clone() {
            Answer::By(answer) => answer(number),
            answer => answer,
        };
        match answer {
            Answer::Whole { status, headers, body } => {
                write!(stream, "HTTP/1.1 {status} \r\ncontent-length: {}\r\n", body.len())?;
                for (name, value) in headers {
                    write!(stream, "{name}: {value}\r\n")?;
                }
                write!(stream, "\r\n{body}")?;
                stream.flush()
            }
            Answer::Never => {
                self.wait();
                Ok(())
            }
            Answer::Slowly => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nx: ")?;
                while !self.is_over_within(Duration::from_millis(50)) {
                    stream.write_all(b"y")?;
                    stream.flush()?;
                }
                Ok(())
            }
            Answer::Close => plain.shutdown(Shutdown::Both),
            Answer::HeadOnly(status) => {
                write!(stream, "HTTP/1.1 {status} \r\ncontent-length: 100000\r\n\r\nthe begin")?;
                stream.flush()?;
                self.wait();
                Ok(())
            }
            Answer::Nonsense => stream.write_all(b"220 mail.example.com ESMTP\r\n"),
            Answer::Tunnel => tunnel(&plain, &path),
            Answer::By(_) => Err(io::Error::other("an answer must be an answer")),
        }
    }

    /// Until the end of the test.
    fn wait(&self) {
        while !self.is_over_within(Duration::from_secs(60)) {}
    }

    fn is_over_within(&self, time: Duration) -> bool {
        let stopped = self.stopped.lock().unwrap().recv_timeout(time);
        stopped == Err(RecvTimeoutError::Disconnected)
    }
}

fn read_request(stream: &mut dyn Stream) -> io::Result<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) =
        words.next().zip(words.next()).ok_or(io::Error::other("this is no request"))?;
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
    reader.read_exact(&mut body)?;
    Ok(Request { method, path, headers, body })
}

/// Connects a client with the port that it names, whatever its host is called.
fn tunnel(client: &TcpStream, to: &str) -> io::Result<()> {
    let port: u16 = to.rsplit(':').next().unwrap().parse().unwrap();
    let server = TcpStream::connect(("127.0.0.1", port))?;
    let mut writer = client;
    writer.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    thread::scope(|scope| {
        scope.spawn(|| {
            let _ = io::copy(&mut &server, &mut &*client);
            let _ = client.shutdown(Shutdown::Both);
        });
        let _ = io::copy(&mut &*client, &mut &server);
        let _ = server.shutdown(Shutdown::Both);
    });
    Ok(())
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}
