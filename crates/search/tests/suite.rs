//! The tests that every finder passes.

projections::finder_suite!(crate::given::Given);
