"""A real PostgreSQL server of its own, which can be stopped, killed, paused and moved."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import psycopg

from . import wait_until

USER = "postgres"
PASSWORD = "a-lesson's pass/word"
DATABASE = "kubecoin"
HOME = "127.0.0.1"

CREATE_TABLE = """
CREATE TABLE IF NOT EXISTS wallets (
    id VARCHAR(255) PRIMARY KEY,
    balance DECIMAL(15,2) DEFAULT 1000.00,
    coins DECIMAL(15,2) DEFAULT 0.00,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX IF NOT EXISTS idx_wallets_id ON wallets(id);
"""

_STOP_SIGNALS = {
    "smart": signal.SIGTERM,
    "fast": signal.SIGINT,
    "immediate": signal.SIGQUIT,
}


class PostgreSQL:
    """One server, its data directory and its port, both kept over restarts.

    The data directory is initialised with the database `kubecoin` (without the table) and
    `scram-sha-256` for every connection. Run as root, the server runs as user `postgres`.
    """

    def __init__(self) -> None:
        self.address = HOME
        self._bin = _newest_bin()
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = Path(tempfile.mkdtemp(prefix="kubecoin-postgres-"))
        self.data = self._folder / "data"
        self.port = free_port()
        self._owner = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        if self._owner:
            os.chown(self._folder, self._owner.pw_uid, self._owner.pw_gid)
        try:
            self._initialise()
        except BaseException:
            self.remove()
            raise

    def __enter__(self) -> PostgreSQL:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    @property
    def log(self) -> Path:
        """What the server wrote, over all its starts."""
        return self._folder / "log"

    @property
    def dsn(self) -> str:
        """A connection string for the database of the exchange."""
        return self.dsn_of(DATABASE)

    def dsn_of(self, database: str) -> str:
        """A connection string for `database`."""
        return psycopg.conninfo.make_conninfo(
            host=self.address, port=self.port, dbname=database, user=USER, password=PASSWORD
        )

    @property
    def url(self) -> str:
        """The same as a URL, as psql and others take it."""
        return f"postgresql://{USER}:{quote(PASSWORD, safe='')}@{self.address}:{self.port}/{DATABASE}"

    def environment(self) -> dict[str, str]:
        """The backend's environment variables for this server."""
        return {
            "DB_HOST": self.address,
            "DB_PORT": str(self.port),
            "DB_NAME": DATABASE,
            "DB_USER": USER,
            "DB_PASSWORD": PASSWORD,
        }

    def connect(self, database: str = DATABASE) -> psycopg.Connection:
        """A connection in autocommit mode for looking at, or changing, what is there."""
        return psycopg.connect(self.dsn_of(database), autocommit=True, connect_timeout=5)

    def start(self) -> None:
        """Starts the server and waits until it accepts connections."""
        if self._process:
            raise RuntimeError("PostgreSQL is running already")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._as_owner(
                    self._bin / "postgres",
                    *("-D", self.data, "-p", self.port),
                    *("-c", f"listen_addresses={self.address}"),
                    *("-c", f"unix_socket_directories={self._folder}"),
                    *("-c", "cluster_name=postgres-0"),
                    *("-c", "TimeZone=UTC"),
                ),
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=self._folder,
            )
        wait_until(self._accepts, f"PostgreSQL on port {self.port}")

    def stop(self, mode: Literal["smart", "fast", "immediate"] = "fast") -> None:
        """Shuts the server down in one of PostgreSQL's three ways and waits for its end."""
        process = self._running()
        process.send_signal(_STOP_SIGNALS[mode])
        process.wait(timeout=30)
        self._process = None

    def kill(self) -> None:
        """Ends all processes of the server at once (SIGKILL) and waits for their end."""
        process = self._running()
        pids = self._signal_all(signal.SIGKILL)
        process.wait(timeout=10)
        self._process = None
        # A child that is still there holds the shared memory, and a new server refuses to start beside it.
        wait_until(lambda: all(_state(pid) in "ZX" for pid in pids), "the server's processes to end", every=0.001)

    def pause(self) -> None:
        """Freezes all processes of the server: the kernel still accepts, nobody answers."""
        pids = self._signal_all(signal.SIGSTOP)
        wait_until(lambda: all(_state(pid) in "TZX" for pid in pids), "the server's processes to stop", every=0.001)

    def resume(self) -> None:
        """Lets a paused server go on."""
        self._signal_all(signal.SIGCONT)

    def restore(self) -> None:
        """Brings the server back from whatever a test did to it: paused, stopped or moved."""
        if self._process:
            self.resume()
        if self._process and self.address != HOME:
            self.stop()
        self.address = HOME
        if not self._process:
            self.start()

    def remove(self) -> None:
        """Ends the server, in whatever state it is, and deletes its data."""
        if self._process and self._process.poll() is None:
            self.kill()
        self._process = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def _initialise(self) -> None:
        password_file = self._folder / "password"
        password_file.write_text(PASSWORD)
        if self._owner:
            os.chown(password_file, self._owner.pw_uid, self._owner.pw_gid)
        self._run(
            self._bin / "initdb",
            *("-D", self.data, "-U", USER, "--pwfile", password_file),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"),
            *("--data-checksums", "--no-sync"),
        )
        self.start()
        with self.connect(USER) as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}")
        self.stop()

    def _run(self, *command: object) -> None:
        done = subprocess.run(self._as_owner(*command), capture_output=True, text=True, cwd=self._folder, timeout=120)
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")

    def _as_owner(self, *command: object) -> list[str]:
        words = [str(word) for word in command]
        if not self._owner:
            return words
        ids = (f"--reuid={self._owner.pw_uid}", f"--regid={self._owner.pw_gid}", "--clear-groups")
        return ["setpriv", *ids, "--", *words]

    def _running(self) -> subprocess.Popen[bytes]:
        if not self._process:
            raise RuntimeError("PostgreSQL is not running")
        return self._process

    def _accepts(self) -> bool:
        code = self._running().poll()
        if code is not None:
            self._process = None
            raise RuntimeError(f"PostgreSQL ended with {code}:\n{self.log.read_text()[-2000:]}")
        try:
            self.connect(USER).close()
        except psycopg.OperationalError:
            return False
        return True

    def _signal_all(self, number: signal.Signals) -> list[int]:
        """Sends a signal to the postmaster and to its children, which are returned."""
        postmaster = self._running().pid
        if number is not signal.SIGCONT:
            # Stopped, and seen to be, it forks no child behind the list of them.
            os.kill(postmaster, signal.SIGSTOP)
            wait_until(lambda: _state(postmaster) in "TZX", "the postmaster to stop", every=0.001)
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text()
        pids = [int(pid) for pid in children.split()]
        for pid in [*pids, postmaster]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        return pids


def _state(pid: int) -> str:
    """The letter of a process's state as in proc(5); `X` if it is not there."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def free_port(address: str = HOME) -> int:
    """A TCP port that is free on `address` now."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def _newest_bin() -> Path:
    """The folder of the newest PostgreSQL server: Debian's place, otherwise PATH."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda folder: int(folder.parent.name))
    initdb = shutil.which("initdb")
    if not initdb:
        raise RuntimeError("no PostgreSQL server is installed (Debian: apt-get install postgresql)")
    return Path(initdb).resolve().parent
