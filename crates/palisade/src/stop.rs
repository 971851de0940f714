//! How tasks learn that the server is to stop.

use tokio::sync::watch;

/// Completes once the server is told to stop.
pub async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, and with it the server.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}
