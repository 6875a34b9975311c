//! Asking again while a server is gone: it is started anew, or the way to it breaks.

use std::time::Duration;

use super::reply::Refused;
use crate::render;

/// How often a server that is gone is asked again, and for how long.
const AGAIN: Duration = Duration::from_secs(1);
const TRIES: u32 = 120;

/// How long the server has been gone.
#[derive(Default)]
pub(super) struct Patience {
    failed: u32,
}

impl Patience {
    /// The server is there.
    pub(super) fn heard(&mut self) {
        self.failed = 0;
    }

    /// Waits until it is time to ask again.
    ///
    /// # Errors
    /// What is wrong, where the server says so itself or is gone for long.
    pub(super) async fn after(&mut self, why: anyhow::Error) -> anyhow::Result<()> {
        // What the server says about the request stays true, and so does what is not understood of it.
        let stays = why.downcast_ref::<Refused>().is_some_and(Refused::stays) || why.is::<serde_json::Error>();
        self.failed += 1;
        if stays || self.failed > TRIES {
            return Err(why);
        }
        if self.failed == 2 {
            render::line(&format!("{why:#}; trying again"));
        }
        tokio::time::sleep(AGAIN).await;
        Ok(())
    }
}
