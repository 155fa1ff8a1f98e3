//! Tests of the whole domain.
