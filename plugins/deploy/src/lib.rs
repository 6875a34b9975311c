//! `deploy`, `docker`, `deployment-status`: what is asked of targets. The engine does it; these say what, and judge the answer.

mod care;
mod stack;
mod status;

pub use crate::care::docker;
pub use crate::stack::deploy;
pub use crate::status::deployment_status;

windflow_sdk::plugin!(deploy, docker, deployment_status);
