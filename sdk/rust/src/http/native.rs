//! Requests of tests.

use std::cell::RefCell;

use super::{HttpError, Request, Response};

type Transport = Box<dyn FnMut(&Request) -> Result<Response, HttpError>>;

thread_local! {
    static TRANSPORT: RefCell<Option<Transport>> = const { RefCell::new(None) };
}

/// Answers the requests of this thread, in place of the world.
pub fn set_transport(transport: impl FnMut(&Request) -> Result<Response, HttpError> + 'static) {
    TRANSPORT.with(|slot| *slot.borrow_mut() = Some(Box::new(transport)));
}

pub(super) fn send(request: &Request, max_bytes: u64) -> Result<Response, HttpError> {
    super::split_url(&request.url).ok_or_else(|| HttpError::Invalid(format!("{:?} is no absolute URL", request.url)))?;
    TRANSPORT.with(|slot| {
        let mut slot = slot.borrow_mut();
        let transport = slot.as_mut().ok_or_else(|| HttpError::Failed("no transport is set".to_owned()))?;
        let response = transport(request)?;
        if response.body.len() as u64 > max_bytes { Err(HttpError::TooLarge(max_bytes)) } else { Ok(response) }
    })
}
