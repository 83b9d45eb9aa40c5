use std::panic::{AssertUnwindSafe, catch_unwind};

use bgpreflector_core::table::Scope;

use super::EngineState;

#[test]
fn a_change_that_panics_ends_the_engine_and_is_the_last() {
    let shared = EngineState::new(Scope::default());
    let change = AssertUnwindSafe(|| shared.change(|_| panic!("injected")));
    assert!(catch_unwind(change).is_err());
    assert!(!shared.wait_dirty(None), "a waiting thread returns");
    let failure = shared.failure().unwrap();
    assert!(failure.contains("panicked: injected"), "{failure}");
    shared.change_unless_poisoned(|_| panic!("the table is broken"));
    shared.fail("later".into());
    assert_eq!(shared.failure(), Some(failure), "the first reason stays");
}
