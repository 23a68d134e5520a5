//! Migrations are compiled in: a new file must rebuild the crate, which cargo would not notice by
//! itself.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
