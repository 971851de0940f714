//! A server that a check starts, and whether it says that it is well.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a server may take until it is ready, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server's process, ended when this is dropped.
pub struct Server {
    child: Child,
    /// Its port on 127.0.0.1.
    pub port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts a command that serves where `PALISADE_LISTEN` says, and waits until it is ready.
    ///
    /// # Errors
    /// When it does not start, ends, or is not ready within [`PATIENCE`].
    pub fn start(command: &mut Command) -> Result<Server, String> {
        let port = free_port().map_err(|error| format!("there is no free port: {error}"))?;
        let child = command
            .env("PALISADE_LISTEN", format!("127.0.0.1:{port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("`{command:?}` did not start: {error}"))?;
        let mut server = Server { child, port };
        let begun = Instant::now();
        loop {
            if server.is_ready() {
                return Ok(server);
            }
            if let Ok(Some(status)) = server.child.try_wait() {
                return Err(format!("`{command:?}` ended with {status}"));
            }
            if begun.elapsed() > PATIENCE {
                return Err(format!("`{command:?}` was not ready within {PATIENCE:?}"));
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn is_ready(&self) -> bool {
        let ask = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            stream.write_all(
                b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            )?;
            let mut text = String::new();
            stream.read_to_string(&mut text)?;
            Ok(text)
        };
        ask().is_ok_and(|text| text.starts_with("HTTP/1.1 200 "))
    }
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
