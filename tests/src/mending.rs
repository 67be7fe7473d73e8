//! A proxy that puts right what an emulator answers in a form that no AWS client can read.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One answer that has to be put right.
#[derive(Debug)]
pub struct Mend {
    /// The operation, and what the emulator does otherwise than AWS.
    pub what: &'static str,
    /// What the body has; `EMULATOR` stands for the address that the emulator has behind the proxy.
    pub wrong: &'static str,
    /// What AWS's has in its place.
    pub right: &'static str,
}

/// A listening proxy; its thread ends with the process.
#[derive(Debug)]
pub(crate) struct Mending {
    /// `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    mends: &'static [Mend],
    uses: Arc<Vec<AtomicUsize>>,
}

impl Mending {
    /// A proxy before the endpoint `http://HOST:PORT`.
    pub(crate) fn start(endpoint: &str, mends: &'static [Mend]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let uses: Arc<Vec<AtomicUsize>> = Arc::new(mends.iter().map(|_| AtomicUsize::new(0)).collect());
        let (address, counters) = (endpoint.trim_start_matches("http://").to_owned(), Arc::clone(&uses));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (address, counters) = (address.clone(), Arc::clone(&counters));
                // A client or an emulator that goes away is told by the closed connection.
                std::thread::spawn(move || pass_on(stream, &address, mends, &counters));
            }
        });
        Self { url, mends, uses }
    }

    /// The mends that were never needed.
    pub(crate) fn unused(&self) -> Vec<&'static str> {
        let used = self.uses.iter().map(|uses| uses.load(Ordering::SeqCst) > 0);
        self.mends.iter().zip(used).filter(|(_, used)| !used).map(|(mend, _)| mend.what).collect()
    }
}

/// One request, whose connection ends with its answer.
fn pass_on(client: TcpStream, address: &str, mends: &[Mend], uses: &[AtomicUsize]) -> std::io::Result<()> {
    let mut client = BufReader::new(client);
    let (head, length) = read_head(&mut client)?;
    let mut emulator = TcpStream::connect(address)?;
    emulator.write_all(head.as_bytes())?;
    std::io::copy(&mut client.by_ref().take(length), &mut emulator)?;

    let mut emulator = BufReader::new(emulator);
    let (head, length) = read_head(&mut emulator)?;
    // The answer to HEAD has a length and no body: then the connection ends before it.
    let mut body = Vec::new();
    emulator.take(length).read_to_end(&mut body)?;
    let is_short = (body.len() as u64) < length;
    for (mend, uses) in mends.iter().zip(uses) {
        let text = String::from_utf8_lossy(&body);
        let wrong = mend.wrong.replace("EMULATOR", address);
        if text.contains(&wrong) {
            uses.fetch_add(1, Ordering::SeqCst);
            body = text.replace(&wrong, mend.right).into_bytes();
        }
    }
    let length = if is_short { length } else { body.len() as u64 };
    let head: String = head.lines().filter(|line| !is_header(line, "content-length")).map(line_end).collect();
    let client = client.get_mut();
    client.write_all(head.trim_end().as_bytes())?;
    client.write_all(format!("\r\ncontent-length: {length}\r\n\r\n").as_bytes())?;
    client.write_all(&body)
}

/// A message's head, asking for the end of the connection after it, and the length of its body.
fn read_head(stream: &mut impl BufRead) -> std::io::Result<(String, u64)> {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if is_header(&line, "content-length") {
            length = line.split_once(':').and_then(|(_, value)| value.trim().parse().ok()).unwrap_or(0);
        }
        if !is_header(&line, "connection") {
            head.push_str(&line);
        }
    }
    Ok((head + "connection: close\r\n\r\n", length))
}

fn is_header(line: &str, name: &str) -> bool {
    line.split_once(':').is_some_and(|(found, _)| found.eq_ignore_ascii_case(name))
}

fn line_end(line: &str) -> String {
    format!("{line}\r\n")
}
