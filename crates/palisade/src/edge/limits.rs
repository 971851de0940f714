//! What the edge takes of one connection, and how long it waits for it.

use std::time::Duration;

/// Bytes of a request's head that are read at all. A head above the 16 KiB that calls may have is
/// read up to here so that it can be refused in the caller's own protocol.
pub const HEAD_READ_MAX: usize = 128 * 1024;
/// Headers of one request over HTTP/1; hyper's own limit, named here for the refusal.
pub const HEADERS_MAX: usize = 100;

/// How long each kind of silence is borne.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a TLS handshake to end, and again for the first bytes of the first request.
    pub handshake: Duration,
    /// For the head of a request to arrive. It is also how long a connection may idle between two,
    /// so it is longer than the 60 seconds for which proxies keep idle connections: who closes
    /// first loses no call.
    pub head: Duration,
    /// For the body of a call to arrive, and for its answer to be made.
    pub call: Duration,
    /// For the next bytes of a delivery.
    pub delivery: Duration,
    /// For the client to take the next bytes of an answer.
    pub answer: Duration,
    /// For a client that is still sending what was refused to notice.
    pub linger: Duration,
    /// Between two looks at the files of certificate and key.
    pub tls_files: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Patience {
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(75),
            call: Duration::from_secs(30),
            delivery: Duration::from_secs(60),
            answer: Duration::from_secs(30),
            linger: Duration::from_secs(2),
            tls_files: Duration::from_secs(10),
        }
    }
}
