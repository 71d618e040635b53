use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::Report;
use crate::apt::{self, Package};
use crate::hash::Inputs;
use crate::images::{Image, Unpacked};
use crate::process::say;
use crate::python::{self, Interpreter};
use crate::{cache, npm, paths};

/// What the tests of the exchange start: a database, a web server, a browser, containers.
pub const PACKAGES: [Package; 6] = [
    Package { name: "postgresql", provides: "/usr/lib/postgresql/*/bin/postgres" },
    Package { name: "nginx-light", provides: "/usr/sbin/nginx" },
    Package { name: "chromium", provides: "chromium" },
    Package { name: "bubblewrap", provides: "bwrap" },
    Package { name: "util-linux", provides: "setpriv" },
    Package { name: "shellcheck", provides: "shellcheck" },
];

/// What is held to no deadline, and so may have other checks beside it: formatting, lints, the page's units.
pub fn at_leisure(report: &mut Report) -> Result<()> {
    apt::require(&PACKAGES)?;
    let environment = python::environment()?;
    let python = |arguments: &[&str]| with(&environment, arguments);

    report.check("ruff format", &mut python(&["-m", "ruff", "format", "--check", "..", "../../testbed"]))?;
    report.check("ruff", &mut python(&["-m", "ruff", "check", "..", "../../testbed"]))?;
    report.check("mypy", python(&["-m", "mypy"]).current_dir(paths::workspace().join("app/backend")))?;
    report.check(
        "shellcheck",
        &mut shellcheck(&["testbed/images/postgres/docker-entrypoint.sh", "app/frontend/nginx/start.sh"]),
    )?;
    report.check_together(python::VERSIONS.iter().map(|version| on_arm64(&environment, version)).collect())?;
    npm::build()?;
    report.check("page lint", &mut npm::script("lint"))?;
    report.check("page units", &mut npm::script("test"))
}

/// The rest, with the machine to itself: the backend keeps its deadlines, the page is quick, containers start.
pub fn in_time(report: &mut Report) -> Result<()> {
    let environment = python::environment()?;
    let python = |arguments: &[&str]| with(&environment, arguments);
    backend(report)?;
    report.check("page in Chromium", &mut python(&["-m", "pytest", "e2e"]))?;

    let mut contracts = python(&["-m", "pytest", "images", "guards"]);
    let images = [
        ("KUBECOIN_ROOTFS_POSTGRES", Unpacked::of(Image::Postgres)?),
        ("KUBECOIN_ROOTFS_BACKEND", Unpacked::of(Image::Backend)?),
        ("KUBECOIN_ROOTFS_FRONTEND", Unpacked::of(Image::Frontend)?),
    ];
    for (variable, image) in &images {
        contracts.env(variable, image.root());
    }
    report.check("images and guards", &mut contracts)
}

/// The backend's own tests: on the first Python each time, and on the others that it is for and that are here once for what
/// it is now. One after the other: they hold the backend to its deadlines, which it would miss where three of them share two
/// cores.
fn backend(report: &mut Report) -> Result<()> {
    let pythons = Interpreter::all()?;
    if let Some(missing) = python::missing(&pythons) {
        say(&format!("\n{missing}"));
    }
    for (number, python) in pythons.iter().enumerate() {
        let name = format!("backend on Python {}", python.version);
        let passed = passed(python)?;
        if number > 0 && passed.exists() {
            say(&format!("\n{name}: not run again, it is as it was when it passed there"));
            cache::used(&passed)?;
            continue;
        }
        let mut pytest = with(&python.environment()?, &["-m", "pytest", "../backend/tests"]);
        if report.passes(&name, &mut pytest)? {
            fs::create_dir_all(&passed)?;
            cache::used(&passed)?;
        }
    }
    Ok(())
}

/// The entry of the cache that says that the backend, as it is now, has passed its tests on this Python.
fn passed(python: &Interpreter) -> Result<PathBuf> {
    let (backend, lock) = (paths::workspace().join("app/backend"), python::folder().join("requirements.lock"));
    let digest = Inputs::new([python.version.as_str()]).path(&backend)?.path(&lock)?.digest();
    Ok(paths::cache()?.join("passed").join(digest))
}

/// Whether the backend's lock file can be installed on arm64, which this machine need not be: nothing is compiled there, so
/// each package needs a wheel, and the file its hash.
fn on_arm64(python: &Path, version: &str) -> (String, Command) {
    let mut pip = with(python, &["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--dry-run"]);
    // Debian's glibc takes both kinds. A target, as pip asks for one for other machines: nothing is written to it.
    pip.args(["--platform", "manylinux2014_aarch64", "--platform", "manylinux_2_28_aarch64", "--target", "target"]);
    pip.args(["--python-version", version, "--only-binary", ":all:", "--ignore-installed", "--require-hashes"]);
    pip.args(["--requirement", "../backend/requirements.lock"]);
    (format!("backend's packages on arm64, Python {version}"), pip)
}

/// A Python in the folder of the tests.
fn with(python: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(python);
    command.args(arguments).current_dir(python::folder());
    command
}

fn shellcheck(scripts: &[&str]) -> Command {
    let mut shellcheck = Command::new("shellcheck");
    shellcheck.args(scripts).current_dir(paths::workspace());
    shellcheck
}
