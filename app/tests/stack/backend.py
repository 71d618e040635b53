"""The backend as in its image: gunicorn with its configuration, on a free port."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import wait_until

SOURCE = Path(__file__).resolve().parents[2] / "backend"


class Backend:
    """One gunicorn on a free loopback port.

    `environment` holds the variables of the backend (see `PostgreSQL.environment`); `within` is
    put before the command, for instance to give the process a mount namespace of its own.
    """

    def __init__(self, environment: Mapping[str, str], within: Sequence[str] = ()) -> None:
        self._environment = dict(environment)
        self._within = list(within)
        self._process: subprocess.Popen[bytes] | None = None
        self._log = tempfile.NamedTemporaryFile(prefix="kubecoin-backend-", suffix=".log")  # noqa: SIM115
        self.port = 0

    def __enter__(self) -> Backend:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._log.close()

    @property
    def url(self) -> str:
        """Where the backend listens, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Process id of gunicorn's master."""
        return self._running().pid

    @property
    def log(self) -> str:
        """What the backend wrote so far."""
        return Path(self._log.name).read_text()

    def start(self) -> None:
        """Starts gunicorn and waits for `/healthz`; the database need not be there."""
        with socket.create_server(("127.0.0.1", self.port)) as listener:
            # gunicorn inherits the socket: no other process can take the port meanwhile.
            self.port = listener.getsockname()[1]
            self._process = subprocess.Popen(
                [
                    *self._within,
                    *(sys.executable, "-m", "gunicorn"),
                    *("--config", "gunicorn.conf.py"),
                    *("--bind", f"fd://{listener.fileno()}"),
                ],
                cwd=SOURCE,
                env=_inherited_environment() | self._environment,
                pass_fds=[listener.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=subprocess.STDOUT,
            )
        wait_until(self._healthy, f"the backend on port {self.port}")

    def stop(self, timeout: float = 20.0) -> int:
        """Ends gunicorn by SIGTERM and returns its exit code."""
        self.terminate()
        return self.wait(timeout)

    def terminate(self) -> None:
        """Asks gunicorn to end (SIGTERM) without waiting for it."""
        self._running().send_signal(signal.SIGTERM)

    def wait(self, timeout: float = 20.0) -> int:
        """Waits for the end of gunicorn and returns its exit code."""
        process = self._running()
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        self._process = None
        return code

    def _running(self) -> subprocess.Popen[bytes]:
        if not self._process:
            raise RuntimeError("the backend is not running")
        return self._process

    def _healthy(self) -> bool:
        code = self._running().poll()
        if code is not None:
            self._process = None
            raise RuntimeError(f"the backend ended with {code}:\n{self.log[-3000:]}")
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, http.client.HTTPException, OSError):
            return False


def _inherited_environment() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
