//! Records what this module is compiled for, so that Python can compare it with the CPU before it
//! loads the module: an instruction that the CPU lacks would end the process without a message.
//!
//! The record is one line of JSON between two marks, handed to the crate as the compile-time variable
//! `DEEPPROVE_BUILD_RECORD`; the crate keeps it as bytes that `deepprove_dist.kernels` finds in the file.

use std::env;

fn main() {
    let architecture = cargo_variable("CARGO_CFG_TARGET_ARCH");
    let version = cargo_variable("CARGO_PKG_VERSION");
    let features: Vec<String> = cargo_variable("CARGO_CFG_TARGET_FEATURE")
        .split(',')
        .filter(|name| !name.is_empty())
        .map(|name| format!("\"{name}\""))
        .collect();

    println!(
        "cargo:rustc-env=DEEPPROVE_BUILD_RECORD=DEEPPROVE_BUILD{{\"version\":\"{version}\",\"arch\":\"{architecture}\",\"features\":[{}]}}END",
        features.join(",")
    );
    println!("cargo:rerun-if-changed=build.rs");
}

/// A variable that cargo sets for build scripts; empty where the target has no such value.
fn cargo_variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}
