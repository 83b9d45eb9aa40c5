//! The rtnetlink decoder.

mod captures;
mod properties;
mod requests;
mod second_opinion;
pub mod support;
mod values;
mod walk;
