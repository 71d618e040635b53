"""The frontend as in its image: nginx with the image's start script, on a free port."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from . import wait_until
from .postgres import free_port

SOURCE = Path(__file__).resolve().parents[2] / "frontend"
DIST = SOURCE / "dist"
"""The built page; `npm run build` makes it."""

IMAGE_USER = 10001


class Frontend:
    """One nginx that serves the built page on a free loopback port and passes `/api/` to a backend.

    `resolv_conf` is the text of the file that the start script takes the name server from. Run as
    root, nginx runs as the user of the image.
    """

    def __init__(self, backend_url: str, resolv_conf: str = "") -> None:
        if not (DIST / "index.html").exists():
            raise RuntimeError(f"the page is not built (npm run build): {DIST} has no index.html")
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = Path(tempfile.mkdtemp(prefix="kubecoin-nginx-"))
        # A copy, because the image's user may not be able to read the work tree.
        shutil.copytree(DIST, self._folder / "html")
        shutil.copytree(SOURCE / "nginx", self._folder / "nginx")
        (self._folder / "resolv.conf").write_text(resolv_conf)
        self._environment = {
            "PATH": os.environ["PATH"] + ":/usr/sbin",
            "BACKEND_URL": backend_url,
            "LISTEN": f"127.0.0.1:{self.port}",
            "HTML_ROOT": str(self._folder / "html"),
            "RUN_DIR": str(self._folder / "run"),
            "RESOLV_CONF": str(self._folder / "resolv.conf"),
        }

    def __enter__(self) -> Frontend:
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    @property
    def url(self) -> str:
        """Where the page is, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What nginx wrote so far: requests as lines of JSON, and errors."""
        return (self._folder / "log").read_text()

    def start(self) -> None:
        """Starts nginx and waits for `/healthz`; the backend need not be there."""
        command = [str(self._folder / "nginx" / "start.sh")]
        if os.geteuid() == 0:
            command = ["setpriv", f"--reuid={IMAGE_USER}", f"--regid={IMAGE_USER}", "--clear-groups", "--", *command]
            os.chown(self._folder, IMAGE_USER, IMAGE_USER)
        with (self._folder / "log").open("ab") as log:
            if os.geteuid() == 0:
                os.chown(log.fileno(), IMAGE_USER, IMAGE_USER)
            self._process = subprocess.Popen(
                command, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        wait_until(self._healthy, f"nginx on port {self.port}")

    def stop(self, timeout: float = 20.0) -> int:
        """Ends nginx by the image's stop signal, SIGQUIT, and returns its exit code."""
        process = self._running()
        process.send_signal(signal.SIGQUIT)
        code = process.wait(timeout)
        self._process = None
        return code

    def remove(self) -> None:
        """Ends nginx, if it runs, and deletes its files."""
        if self._process and self._process.poll() is None:
            # SIGTERM is nginx's fast shutdown, which leaves no worker behind.
            self._process.terminate()
            self._process.wait(20)
        self._process = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def _running(self) -> subprocess.Popen[bytes]:
        if not self._process:
            raise RuntimeError("nginx is not running")
        return self._process

    def _healthy(self) -> bool:
        code = self._running().poll()
        if code is not None:
            raise RuntimeError(f"nginx ended with {code}:\n{self.log[-3000:]}")
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, http.client.HTTPException, OSError):
            return False
