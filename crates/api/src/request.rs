//! Taking a request in, and working on it where it may block.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use palisade_wire::{ErrorKind, Fault};

use crate::app::App;
use crate::budget::Share;
use crate::intake::{Arrived, Incoming};
use crate::verify::{Foreseen, foresee};

/// A body that is there as a whole.
pub(crate) struct Taken {
    pub body: Bytes,
    /// What it holds of the budget for those that are not known to be authentic.
    pub share: Option<Share>,
}

/// Takes a request's body in. One that came with its head is taken as it is. For any other, the head
/// is checked first, and the body waited for within the budget of those whose head is signed, or of
/// those that anybody may have sent; `may` refuses what a known head tells.
///
/// # Errors
/// What [`crate::verify::verify`] would refuse with any body, what `may` refuses, and as [`Incoming::whole`].
pub(crate) async fn take_in<E: From<Fault> + Send + 'static>(
    app: &Arc<App>,
    arrived: &Arc<Arrived>,
    body: Body,
    size_max: usize,
    may: impl FnOnce(&Foreseen) -> Result<(), E> + Send + 'static,
) -> Result<Taken, E> {
    let mut incoming = Incoming::of(body, size_max)?;
    // Who asks first whether to send the body is told what the head says of that.
    let is_asked = arrived.header("expect").is_some();
    if !is_asked && incoming.is_at_hand().await? {
        return Ok(Taken { body: incoming.into_held().into(), share: None });
    }
    let head = arrived.clone();
    let foreseen = blocking(app, move |app| {
        let foreseen = foresee(app, &head)?;
        may(&foreseen)?;
        Ok::<_, E>(foreseen)
    })
    .await?;
    let budget = if foreseen.is_proven { &app.proven } else { &app.unproven };
    let share = budget.share(arrived.peer);
    share.grow(arrived.size())?;
    let body = incoming.whole(app.settings.request_deadline, &share).await?;
    Ok(Taken { body: body.into(), share: Some(share) })
}

fn died(error: impl std::fmt::Display) -> Fault {
    tracing::error!(%error, "a call died");
    Fault::new(ErrorKind::InternalFailure, "the server failed to answer")
}

/// Runs `work` on a thread that may block, within the request's deadline and span.
///
/// # Errors
/// What `work` answers; ServiceUnavailable when it takes too long, though it may then still take
/// effect; InternalFailure when it dies.
pub(crate) async fn blocking<T: Send + 'static, E: From<Fault> + Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(&App) -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    let deadline = app.settings.request_deadline;
    match tokio::time::timeout(deadline, blocking_unhurried(app, work)).await {
        Ok(done) => done,
        Err(_) => Err(E::from(Fault::new(
            ErrorKind::ServiceUnavailable,
            format!(
                "no answer within {} seconds; what was asked may still take effect",
                deadline.as_secs()
            ),
        ))),
    }
}

/// As [`blocking`], however long it takes.
pub(crate) async fn blocking_unhurried<T: Send + 'static, E: From<Fault> + Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(&App) -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    let (app, span) = (app.clone(), tracing::Span::current());
    let done = tokio::task::spawn_blocking(move || span.in_scope(|| work(&app))).await;
    done.unwrap_or_else(|error| Err(E::from(died(error))))
}
