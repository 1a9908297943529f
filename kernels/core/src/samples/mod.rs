//! What set-up measures of tensors on samples, each in one pass.

pub mod deviation;
pub mod extremes;

/// A number in single or double precision.
pub trait Real: Copy {
    fn wide(self) -> f64;
}

impl Real for f32 {
    #[inline(always)]
    fn wide(self) -> f64 {
        self.into()
    }
}

impl Real for f64 {
    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }
}
