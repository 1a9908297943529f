//! What set-up measures of tensors on samples, each in one pass.

pub mod deviation;
pub mod extremes;
