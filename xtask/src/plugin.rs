//! The plugin as people get it: small, without a trace of where it was built, and built once from the same sources.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::hash::Inputs;
use crate::process::{self, cargo};
use crate::{cache, paths};

/// The plugin's name, by which kubectl finds it.
pub const NAME: &str = "kubectl-kubecoin";

/// The profile of what is released.
const PROFILE: &str = "dist";

/// What the plugin is built from.
const SOURCES: [&str; 6] = [".cargo", "Cargo.lock", "Cargo.toml", "askama.toml", "k8s", "src"];

/// What its libraries are built from.
const LIBRARIES: [&str; 2] = ["Cargo.lock", "Cargo.toml"];

/// The program for a Rust target, this machine's without one; built unless the cache has it of these sources.
///
/// Clones share its libraries, which take most of the time. The program itself is then built anew: by the age of files, cargo
/// cannot tell the sources of one clone from another's.
pub fn build(target: Option<&str>) -> Result<PathBuf> {
    let made_from = digest(&SOURCES, target)?;
    let folder = paths::cache()?.join("plugin").join(&made_from);
    let program = folder.join(NAME);
    if !program.exists() {
        let libraries = paths::cache()?.join("libraries").join(digest(&LIBRARIES, target)?);
        let _lock = cache::lock(&libraries)?;
        if !program.exists() {
            let built = process::step("building the plugin as people get it", || {
                let mut clean = cargo(&["clean", "--quiet", "--profile", PROFILE, "--package", NAME]);
                let clean = clean.args(target.iter().flat_map(|target| ["--target", *target]));
                process::output(clean.env(TARGET, &libraries))?;
                build_in(paths::workspace(), &libraries, target)
            })?;
            ensure!(digest(&SOURCES, target)? == made_from, "the sources were changed while they were compiled");
            keep(&built, &program)?;
        }
        cache::used(&libraries)?;
    }
    cache::used(&folder)?;
    Ok(program)
}

/// What a build comes from: files of the workspace, the compiler, and how this task calls it.
fn digest(files: &[&str], target: Option<&str>) -> Result<String> {
    let compiler = compiler()?;
    let inputs = Inputs::new([compiler.as_str(), target.unwrap_or_default(), include_str!("plugin.rs")]);
    let inputs = files.iter().try_fold(inputs, |inputs, name| inputs.path(&paths::workspace().join(name)));
    Ok(inputs?.digest())
}

/// Puts a program into the cache, whole or not at all.
fn keep(built: &Path, program: &Path) -> Result<()> {
    let folder = program.parent().context("a program is in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let partial = program.with_added_extension("partial");
    fs::copy(built, &partial).with_context(|| format!("cannot copy {}", built.display()))?;
    fs::rename(&partial, program).with_context(|| format!("cannot make {}", program.display()))
}

/// The variable that names cargo's folder for what it builds.
const TARGET: &str = "CARGO_TARGET_DIR";

/// Builds the program of a workspace into a folder of cargo's. Gives its file there.
pub fn build_in(workspace: &Path, folder: &Path, target: Option<&str>) -> Result<PathBuf> {
    let mut build = cargo(&["build", "--quiet", "--locked", "--profile", PROFILE, "--package", NAME]);
    build.current_dir(workspace).args(target.iter().flat_map(|target| ["--target", *target])).env(TARGET, folder);
    let places = places(folder)?;
    let rust: Vec<String> = places.iter().map(|(path, name)| format!("--remap-path-prefix={path}={name}")).collect();
    build.env("CARGO_ENCODED_RUSTFLAGS", rust.join("\u{1f}"));
    // What somebody has set for builds of their own.
    for (name, _) in env::vars_os() {
        let is_own = |name: &str| {
            name.starts_with("CARGO_PROFILE_") || name.starts_with("CARGO_BUILD_") || name.starts_with("RUSTC_")
        };
        if name.to_str().is_some_and(is_own) {
            build.env_remove(&name);
        }
    }
    process::run(&mut build)?;
    Ok(folder.join(target.unwrap_or_default()).join(PROFILE).join(NAME))
}

/// The folders of this machine that a compiler would write into the program, and what stands there instead.
///
/// The workspace is none of them: cargo names its sources from there, and with its path among the flags, clones would share nothing.
fn places(folder: &Path) -> Result<Vec<(String, &'static str)>> {
    let home = match env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => env::home_dir().context("no home directory: set CARGO_HOME")?.join(".cargo"),
    };
    let rust = PathBuf::from(process::output(Command::new("rustc").args(["--print", "sysroot"]))?);
    let all = [(folder, "target"), (&home, "cargo"), (&rust, "rust")];
    Ok(all.map(|(path, name)| (path.display().to_string(), name)).into())
}

/// Which compiler it is, and for which machine.
fn compiler() -> Result<String> {
    process::output(Command::new("rustc").arg("-vV").current_dir(paths::workspace()))
}
