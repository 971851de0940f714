//! The signals that a server listens to.

/// "File size limit exceeded", as Linux numbers it on all but MIPS.
#[cfg(unix)]
const SIGXFSZ: i32 = 25;

/// Ctrl-C and requests to terminate. They are heard from the moment this is made, so that one which
/// follows the announcement of the address at once does not kill.
pub struct Signals {
    #[cfg(unix)]
    unix: Vec<tokio::signal::unix::Signal>,
}

impl Signals {
    #[cfg(unix)]
    pub fn listen() -> Signals {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::interrupt(), SignalKind::terminate()];
        // A write beyond the largest file that is allowed fails; unheard, this ends the process.
        if cfg!(target_os = "linux") {
            drop(signal(SignalKind::from_raw(SIGXFSZ)));
        }
        Signals { unix: kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect() }
    }

    #[cfg(not(unix))]
    pub fn listen() -> Signals {
        Signals {}
    }

    /// Waits for the next.
    #[cfg(unix)]
    pub async fn next(&mut self) {
        std::future::poll_fn(|context| {
            let came =
                |signal: &mut tokio::signal::unix::Signal| signal.poll_recv(context).is_ready();
            match self.unix.iter_mut().any(came) {
                true => std::task::Poll::Ready(()),
                false => std::task::Poll::Pending,
            }
        })
        .await
    }

    #[cfg(not(unix))]
    pub async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
