//! What is made to go wrong, on purpose and by seed. Owns the plan, the draws and the held answers; must not know any
//! service.

pub(crate) mod draw;
pub(crate) mod held;
pub(crate) mod plan;
