//! Who may do what: the checks on statements, by what the catalog grants.
//!
//! [`reads`] looks at the plan that is about to run, [`writes`] at the one table that a statement changes. What DDL
//! needs is checked where it is applied, in the engine's draft of the next catalog.

pub mod columns;
pub mod reads;
pub mod writes;
