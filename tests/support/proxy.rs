//! Stands between the program and PostgreSQL, passes on what they say, and stops at a point.
//!
//! A point is what the client sends before it waits for an answer, one statement as a rule, or
//! a piece of a COPY. Points are counted over a whole run, so that a test can go through all of
//! them without the program knowing. Only the framing of the messages is understood, and which
//! answers end an exchange (PostgreSQL's manual, "Message Formats").

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

use tempfile::TempDir;

/// PostgreSQL names its socket after the port.
const SOCKET: &str = ".s.PGSQL.5432";

/// How much of a statement names its point.
const NAME_CHARS: usize = 70;

/// Where a proxy stops.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stop {
    /// The number of the point, from 0.
    pub(crate) point: usize,
    pub(crate) moment: Moment,
}

/// On which side of a point a proxy stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The server has not heard of it.
    Unsent,
    /// The server has done it, and the client does not know.
    Unanswered,
}

/// A proxy at work. Dropping it cuts the connections.
pub(crate) struct Proxy {
    folder: TempDir,
    shared: Arc<Shared>,
    stopped: Receiver<()>,
}

struct Shared {
    server: Address,
    stop: Option<Stop>,
    points: Mutex<Vec<String>>,
    /// Both ends of every connection.
    streams: Mutex<Vec<UnixStream>>,
    is_closing: AtomicBool,
    stopped: Sender<()>,
}

impl Proxy {
    /// A proxy that only passes on and counts.
    pub(crate) fn new(url: &str) -> Self {
        Self::start(url, None)
    }

    /// One that stops at a point: neither side hears anything from there on.
    pub(crate) fn stopping_at(url: &str, stop: Stop) -> Self {
        Self::start(url, Some(stop))
    }

    fn start(url: &str, stop: Option<Stop>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        let (sender, stopped) = mpsc::channel();
        let shared = Arc::new(Shared {
            server: Address::of(url),
            stop,
            points: Mutex::default(),
            streams: Mutex::default(),
            is_closing: AtomicBool::new(false),
            stopped: sender,
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.is_closing.load(Ordering::SeqCst) {
                    break;
                }
                let (client, shared) = (client.unwrap(), Arc::clone(&accepting));
                // Connections that break are what this is for.
                thread::spawn(move || shared.serve(&client));
            }
        });
        Self { folder, shared, stopped }
    }

    /// The URL of a database by way of the proxy.
    pub(crate) fn url(&self, url: &str) -> String {
        let separator = if url.contains('?') { '&' } else { '?' };
        let folder = self.folder.path().to_str().unwrap().replace('/', "%2F");
        // Of parameters that are given twice, the last counts.
        format!("{url}{separator}host={folder}&hostaddr=&port=5432")
    }

    /// What the client has sent so far, one name a point.
    pub(crate) fn points(&self) -> Vec<String> {
        self.shared.points.lock().unwrap().clone()
    }

    /// Waits until it has stopped.
    pub(crate) fn wait_until_stopped(&self) {
        self.stopped.recv().unwrap();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_closing.store(true, Ordering::SeqCst);
        // Wakes up the thread that waits for clients.
        let _ = UnixStream::connect(self.folder.path().join(SOCKET));
        for stream in self.shared.streams.lock().unwrap().iter() {
            close(stream);
        }
    }
}

impl Shared {
    fn serve(&self, client: &UnixStream) -> io::Result<()> {
        let server = self.server.connect()?;
        self.streams.lock().unwrap().extend([client.try_clone()?, server.try_clone()?]);
        let is_held = AtomicBool::new(false);
        let (answered, answers) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| {
                // Dropped when no answer can come any more.
                let answered = answered;
                let _ = pass_answers(&server, client, &is_held, &answered);
                close(client);
            });
            let _ = self.pass_statements(client, &server, &is_held, &answers);
            close(&server);
        });
        Ok(())
    }

    fn pass_statements(
        &self,
        mut client: &UnixStream,
        mut server: &UnixStream,
        is_held: &AtomicBool,
        answers: &Receiver<()>,
    ) -> io::Result<()> {
        // The first message has no type.
        server.write_all(&read_after(Vec::new(), client)?)?;
        let mut is_extended = false;
        loop {
            let unit = Unit::read(client, is_extended)?;
            is_extended = unit.is_extended;
            let Some(moment) = self.arrive_at(&unit) else {
                server.write_all(&unit.bytes)?;
                continue;
            };
            if moment == Moment::Unanswered {
                is_held.store(true, Ordering::SeqCst);
                server.write_all(&unit.bytes)?;
                if unit.is_answered() {
                    // A server that ends instead answers by that.
                    let _ = answers.recv();
                }
            }
            let _ = self.stopped.send(());
            // Until the client is killed or the connection is cut.
            client.read_to_end(&mut Vec::new())?;
            return Ok(());
        }
    }

    /// Counts a point. If it is the one to stop at: when.
    fn arrive_at(&self, unit: &Unit) -> Option<Moment> {
        let mut points = self.points.lock().unwrap();
        points.push(unit.name()?);
        self.stop.filter(|stop| stop.point + 1 == points.len()).map(|stop| stop.moment)
    }
}

fn close(stream: &UnixStream) {
    // It may be closed already.
    let _ = stream.shutdown(Shutdown::Both);
}

/// Passes on what the server says. While that is held, says instead when the server is done.
fn pass_answers(
    server: &UnixStream,
    mut client: &UnixStream,
    is_held: &AtomicBool,
    answered: &Sender<()>,
) -> io::Result<()> {
    loop {
        let message = read_message(server)?;
        if !is_held.load(Ordering::SeqCst) {
            client.write_all(&message)?;
        } else if b"ZG".contains(&message[0]) {
            // Ready for the next statement, or for the rows of a COPY.
            let _ = answered.send(());
        }
    }
}

/// What a client sends at once.
#[derive(Default)]
struct Unit {
    bytes: Vec<u8>,
    /// The kind of its last message.
    kind: u8,
    /// The text of its statement.
    statement: Option<Vec<u8>>,
    /// Whether its statement is one of the extended protocol, or that before it was.
    is_extended: bool,
}

impl Unit {
    fn read(client: &UnixStream, is_extended: bool) -> io::Result<Self> {
        let mut unit = Self { is_extended, ..Self::default() };
        while !unit.is_complete() {
            let message = read_message(client)?;
            unit.kind = message[0];
            match unit.kind {
                b'Q' => {
                    unit.is_extended = false;
                    unit.statement = Some(message[5..].to_vec());
                }
                // The name of the statement, which has none, stands before it.
                b'P' => {
                    unit.is_extended = true;
                    unit.statement = Some(message[6..].to_vec());
                }
                _ => {}
            }
            unit.bytes.extend(message);
        }
        Ok(unit)
    }

    /// In the extended protocol several messages are one statement, and Sync comes last.
    fn is_complete(&self) -> bool {
        match self.kind {
            b'c' | b'f' => !self.is_extended,
            kind => b"QSdXp".contains(&kind),
        }
    }

    /// The server says nothing to a piece of a COPY.
    fn is_answered(&self) -> bool {
        self.kind != b'd'
    }

    /// The name of the point; passwords and farewells are none.
    fn name(&self) -> Option<String> {
        if let Some(statement) = &self.statement {
            let text = String::from_utf8_lossy(statement.split(|byte| *byte == 0).next()?);
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            return Some(words.chars().take(NAME_CHARS).collect());
        }
        match self.kind {
            b'd' => Some("rows of a COPY".to_owned()),
            b'X' | b'p' => None,
            _ => Some("the end of a COPY".to_owned()),
        }
    }
}

/// One message with its type.
fn read_message(mut stream: &UnixStream) -> io::Result<Vec<u8>> {
    let mut kind = vec![0];
    stream.read_exact(&mut kind)?;
    read_after(kind, stream)
}

/// The length of a message, which counts itself, and what follows.
fn read_after(mut message: Vec<u8>, mut stream: &UnixStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    message.extend(length);
    let begin = message.len();
    message.resize(begin + u32::from_be_bytes(length) as usize - length.len(), 0);
    stream.read_exact(&mut message[begin..])?;
    Ok(message)
}

/// Where a server listens.
enum Address {
    Socket(String),
    Tcp(String),
}

impl Address {
    /// Of a URL as `TEST_DATABASE_URL` has it, with one host.
    fn of(url: &str) -> Self {
        let (address, parameters) = url.split_once('?').unwrap_or((url, ""));
        let parameter = |name: &str| {
            let mut parameters = parameters.split('&').filter_map(|one| one.split_once('='));
            Some(percent_decoded(parameters.find(|one| one.0 == name)?.1))
        };
        let authority = address.split("://").nth(1).unwrap().split('/').next().unwrap();
        let written = authority.rsplit('@').next().unwrap();
        let (host, port) = written.rsplit_once(':').unwrap_or((written, ""));
        let host = parameter("host").unwrap_or_else(|| host.to_owned());
        let port = parameter("port").unwrap_or_else(|| port.to_owned());
        let port = if port.is_empty() { "5432" } else { &port };
        if host.starts_with('/') {
            return Self::Socket(format!("{host}/.s.PGSQL.{port}"));
        }
        Self::Tcp(format!("{}:{port}", if host.is_empty() { "localhost" } else { &host }))
    }

    fn connect(&self) -> io::Result<UnixStream> {
        Ok(match self {
            Self::Socket(path) => UnixStream::connect(path)?,
            // To read and to write, one socket is like the other.
            Self::Tcp(address) => {
                let stream = TcpStream::connect(address)?;
                stream.set_nodelay(true)?;
                OwnedFd::from(stream).into()
            }
        })
    }
}

fn percent_decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut decoded = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        decoded.push(u8::from_str_radix(&part[..2], 16).unwrap());
        decoded.extend(part[2..].bytes());
    }
    String::from_utf8(decoded).unwrap()
}
