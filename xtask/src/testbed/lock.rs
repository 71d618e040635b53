//! One change of the cluster at a time, whoever makes it.

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use anyhow::{Context, Result};

use super::layout::lock;
use super::wait::{self, Deadline};
use crate::process;

/// How long another change is waited for: it may be compiling.
const PATIENCE: Duration = Duration::from_mins(30);

/// The lock, for as long as this lives; the kernel lets go of it however the process ends.
pub struct Lock(File);

impl Lock {
    /// Waits for the lock.
    pub fn take() -> Result<Self> {
        let (path, mut said) = (lock(), false);
        wait::until(Deadline::after(PATIENCE), || {
            let file = File::options().create(true).truncate(false).write(true).open(&path);
            let file = file.with_context(|| format!("cannot open {}", path.display()))?;
            match file.try_lock() {
                // Whoever had it removes it last: then it is another file by now, or none.
                Ok(())
                    if fs::metadata(&path)
                        .is_ok_and(|now| file.metadata().is_ok_and(|ours| ours.ino() == now.ino())) =>
                {
                    return Ok(Ok(Self(file)));
                }
                Ok(()) => {}
                Err(TryLockError::WouldBlock) if said => {}
                Err(TryLockError::WouldBlock) => {
                    process::say("> waiting for another `testbed` command to finish");
                    said = true;
                }
                Err(TryLockError::Error(error)) => {
                    return Err(error).with_context(|| format!("cannot lock {}", path.display()));
                }
            }
            Ok(Err("another `testbed` command has the cluster".to_owned()))
        })
    }

    /// Another hold of the same lock, to hand to a program that must be where [`super::lifecycle::down`] finds it before the
    /// next command begins.
    pub fn share(&self) -> Result<File> {
        self.0.try_clone().context("cannot share the lock")
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_file(lock());
        let _ = self.0.unlock();
    }
}
