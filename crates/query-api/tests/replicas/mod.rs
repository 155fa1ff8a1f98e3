//! Queries that are answered by real replicas: what they promise while replicas are paused, killed, behind, or all there is.

mod behind;
mod killed;
mod paused;
mod stack;
mod swapped;
