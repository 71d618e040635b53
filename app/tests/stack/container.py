"""Runs an image's program out of its unpacked folder the way a kubelet would, without a container engine.

bubblewrap makes the namespaces and the read-only root, setpriv (the image's own) gives up everything that was not asked
for. Needs root and Linux.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Self

from . import wait_until

DEADLINE = 60.0
"""How many seconds anything here waits at most, unless the caller says otherwise."""


@dataclass(frozen=True)
class Image:
    """An unpacked image: its root file system and the `config` member of its OCI configuration."""

    root: Path
    config: Mapping[str, Any]

    @classmethod
    def from_environment(cls, name: str) -> Self:
        """Reads the folder that KUBECOIN_ROOTFS_<NAME> names, and `<folder>.json`, as `buildah inspect` prints it."""
        variable = f"KUBECOIN_ROOTFS_{name.upper()}"
        if not (folder := os.environ.get(variable)):
            raise RuntimeError(f"{variable} must name the unpacked {name} image; `cargo xtask test app` sets it")
        root = Path(folder)
        inspected = json.loads(root.with_name(root.name + ".json").read_text())
        return cls(root, inspected["OCIv1"]["config"])

    @property
    def environment(self) -> dict[str, str]:
        """What the image's ENV lines set."""
        return dict(entry.split("=", 1) for entry in self.config.get("Env", []))

    def resolve(self, path: str) -> PurePosixPath:
        """Follows symbolic links within the image: absolute ones start at the image's root."""
        resolved = PurePosixPath("/")
        for part in PurePosixPath(path).relative_to("/").parts:
            inside = self.root / resolved.relative_to("/") / part
            resolved = self.resolve(str(resolved / inside.readlink())) if inside.is_symlink() else resolved / part
        return resolved


@dataclass(frozen=True)
class Security:
    """Who the program is and what it may, in the words of a pod's securityContext."""

    user: int = 0
    group: int = 0
    groups: Sequence[int] = ()
    capabilities: Sequence[str] = ()
    """The only capabilities left, as Kubernetes spells them: CHOWN. A user other than root gets none of them."""

    def setpriv(self) -> list[str]:
        """The command that puts this in force for what follows it."""
        return [
            "/usr/bin/setpriv",
            f"--reuid={self.user}",
            f"--regid={self.group}",
            f"--groups={','.join(map(str, self.groups))}" if self.groups else "--clear-groups",
            "--inh-caps=-all",
            "--ambient-caps=-all",
            "--bounding-set=" + ",".join(["-all", *(f"+{name.lower()}" for name in self.capabilities)]),
            "--no-new-privs",
            "--",
        ]


@dataclass(frozen=True)
class Container:
    """What to run: the counterpart of a pod's container, whose words it uses.

    Every container has mount, PID, IPC and UTS namespaces of its own, as a pod has, and a network namespace with
    nothing but loopback. The root file system is read-only.
    """

    image: Image
    command: Sequence[str] | None = None
    """In place of the image's ENTRYPOINT; the image's CMD then does not apply."""
    args: Sequence[str] | None = None
    """In place of the image's CMD."""
    environment: Mapping[str, str] = field(default_factory=dict)
    security: Security = Security()
    volumes: Mapping[str, Path] = field(default_factory=dict)
    """Folders and files of the host by where they appear inside, writable."""
    empty: Sequence[str] = ()
    """Where an empty directory that everyone may write to appears inside, as an emptyDir does."""

    def start(self, log: Path) -> "Running":
        """Starts it; what it prints goes to the file `log`."""
        return Running(self, log)

    def _argv(self) -> list[str]:
        entrypoint = self.image.config.get("Entrypoint", []) if self.command is None else self.command
        default = self.image.config.get("Cmd", []) if self.command is None else []
        return [*entrypoint, *(default if self.args is None else self.args)]

    def _mounts(self) -> list[str]:
        # /dev/shm is root's alone in bubblewrap, and PostgreSQL keeps shared memory there.
        mounts = ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--tmpfs", "/dev/shm"]
        for inside in self.empty:
            mounts += ["--perms", "0777", "--tmpfs", str(self.image.resolve(inside))]
        for inside, outside in self.volumes.items():
            mounts += ["--bind", str(outside), str(self.image.resolve(inside))]
        return mounts


class Running:
    """A container that was started, by its program's process: number 1 inside."""

    def __init__(self, container: Container, log: Path) -> None:
        self.container = container
        self._log = log
        self._environment = {**container.image.environment, **container.environment}
        # The PID namespace around bubblewrap's own is for the end: a process that changes its user no longer dies with
        # its parent, but nobody stays alive in a namespace whose first process has died.
        # Signals are as a runtime leaves them: a shell cannot handle one that whoever started it ignores.
        argv = [
            "/usr/bin/env", "--default-signal",
            "/usr/bin/setpriv", "--pdeathsig=KILL",
            "/usr/bin/unshare", "--pid", "--fork", "--kill-child=KILL",
            "/usr/bin/bwrap", "--unshare-pid", "--as-pid-1", "--unshare-ipc", "--unshare-uts", "--unshare-net",
            "--new-session", "--ro-bind", str(container.image.root), "/", *container._mounts(),
            "--chdir", container.image.config.get("WorkingDir", "/"),
            *container.security.setpriv(), *container._argv(),
        ]  # fmt: skip
        with log.open("ab") as output:
            # As a runtime does: the program may open /dev/stdout anew.
            os.fchown(output.fileno(), container.security.user, container.security.group)
            self._process = subprocess.Popen(
                argv, env=self._environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.running:
            # The end of bubblewrap, first process of the outer namespace, is reported once nobody is left in it.
            os.kill(_child(self._process.pid) or self._process.pid, signal.SIGKILL)
            self._process.wait(DEADLINE)

    @cached_property
    def pid(self) -> int:
        """Its program's process, by its number on the host; RuntimeError if it has ended already."""

        def program() -> int | None:
            if not self.running:
                raise RuntimeError(f"ended with {self.wait()}:\n{self.logs()}")
            try:
                pid = _child(_child(self._process.pid))
                return pid if pid and _name(pid) not in {"bwrap", "setpriv"} else None
            except OSError:
                return None  # It ended between two questions; the next round says so.

        pid = wait_until(program, "the start of the container's program", DEADLINE)
        assert pid
        return pid

    @property
    def running(self) -> bool:
        """Whether its program has not ended yet."""
        return self._process.poll() is None

    def logs(self) -> str:
        """Everything that it has printed so far."""
        return self._log.read_text(errors="replace")

    def send(self, number: signal.Signals, process: int = 1) -> None:
        """Sends a signal to a process, by its number inside.

        Process 1 gets, as in any container, only the signals that it handles, and SIGKILL and SIGSTOP.
        """
        if process == 1:
            os.kill(self.pid, number)
        else:
            namespace = ["/usr/bin/nsenter", f"--target={self.pid}", "--pid"]
            subprocess.run([*namespace, "/bin/sh", "-c", f"kill -{number.value} {process}"], check=True)

    def wait(self, deadline: float = DEADLINE) -> int:
        """Waits for the end of every process inside; returns the exit status, 128 + N after signal N."""
        return self._process.wait(deadline)

    def stop(self, deadline: float = DEADLINE) -> int:
        """Sends the image's stop signal and waits."""
        self.send(signal.Signals[self.container.image.config.get("StopSignal", "SIGTERM")])
        return self.wait(deadline)

    def kill(self) -> int:
        """Kills process 1, and with it all the others inside, and waits."""
        self.send(signal.SIGKILL)
        return self.wait()

    def wait_for_log(self, text: str, deadline: float = DEADLINE) -> None:
        """Waits until it has printed `text`; RuntimeError if it ends without."""

        def printed() -> bool:
            ended = not self.running
            if text in self.logs():
                return True
            if ended:
                raise RuntimeError(f"ended without printing {text!r}:\n{self.logs()}")
            return False

        wait_until(printed, f"{text!r} in the log", deadline)

    def argv(self, *command: str) -> list[str]:
        """What runs `command` inside, as the container's user, like `kubectl exec`; needs `environment` beside it."""
        namespaces = ["--mount", "--pid", "--ipc", "--uts", "--net", "--root", "--wd"]
        return [
            "/usr/bin/nsenter",
            f"--target={self.pid}",
            *namespaces,
            *self.container.security.setpriv(),
            *command,
        ]

    def popen(self, *command: str) -> subprocess.Popen[str]:
        """Starts `command` inside, with pipes for its input and its output."""
        return subprocess.Popen(
            self.argv(*command),
            env=self._environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def execute(self, *command: str, deadline: float = DEADLINE) -> subprocess.CompletedProcess[str]:
        """Runs `command` inside; its exit status is the caller's to judge."""
        return subprocess.run(
            self.argv(*command),
            env=self._environment,
            text=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=deadline,
            check=False,
        )

    def get(self, url: str, deadline: float = DEADLINE) -> tuple[int, str]:
        """Asks for `url` from within the container's network; status and body, (0, the reason) without an answer."""
        done = subprocess.run(
            ["/usr/bin/nsenter", f"--target={self.pid}", "--net", sys.executable, "-c", _GET, url],
            text=True,
            capture_output=True,
            timeout=deadline,
            check=True,
        )
        status, body = json.loads(done.stdout)
        return status, body


_GET = """
import json, sys, urllib.error, urllib.request
try:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(sys.argv[1], timeout=5) as answer:
        print(json.dumps([answer.status, answer.read().decode()]))
except urllib.error.HTTPError as error:
    print(json.dumps([error.code, error.read().decode()]))
except OSError as error:
    print(json.dumps([0, str(error)]))
"""


def _child(pid: int | None) -> int | None:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    return int(children.read_text() or 0) or None if pid else None


def _name(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()
