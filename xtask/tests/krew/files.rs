//! A web server of the files of a folder, on this machine alone.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;

/// A server that ends with the test's process.
pub struct Files {
    address: SocketAddr,
}

impl Files {
    /// Serves the files of a folder, none of its folders.
    pub fn of(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let folder = folder.to_owned();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let folder = folder.clone();
                thread::spawn(move || answer(stream, &folder));
            }
        });
        Self { address }
    }

    /// The address of a file, by its name.
    pub fn uri(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }
}

fn answer(mut stream: TcpStream, folder: &Path) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let request = lines.next()?.ok()?;
    lines.by_ref().find(|line| line.as_ref().is_ok_and(String::is_empty));
    let name = PathBuf::from(request.split(' ').nth(1)?);
    let (status, body) = match fs::read(folder.join(name.file_name()?)) {
        Ok(body) => ("200 OK", body),
        Err(_) => ("404 Not Found", Vec::new()),
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)).ok()
}
