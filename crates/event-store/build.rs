//! The migrations are part of the program: a new or changed file must build it again.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
