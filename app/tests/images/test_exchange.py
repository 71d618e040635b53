"""What the images of the backend and the frontend promise: they run as a stranger who may do nothing but serve."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stack import wait_until
from stack.container import Container, Image, Running, Security

Start = Callable[[Container], Running]

USER = 10001
PORTS = {"backend": 5000, "frontend": 8080}
ENVIRONMENT = {
    # Nobody answers at either address: a pod is alive without its neighbours.
    "backend": {
        "DB_HOST": "127.0.0.1",
        "DB_PORT": "5432",
        "DB_NAME": "kubecoin",
        "DB_USER": "postgres",
        "DB_PASSWORD": "none",
    },
    "frontend": {"BACKEND_URL": "http://backend-service:5000"},
}
BUILD_TOOLS = {
    "cc",
    "c++",
    "gcc",
    "g++",
    "clang",
    "ld",
    "make",
    "pip",
    "pip3",
    "uv",
    "npm",
    "node",
    "__pip-runner__.py",
}


@pytest.fixture(params=PORTS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def image(name: str) -> Image:
    return Image.from_environment(name)


def entries(image: Image) -> Iterator[os.DirEntry[str]]:
    """Every file and folder of the image."""
    folders = [str(image.root)]
    while folders:
        with os.scandir(folders.pop()) as found:
            for entry in found:
                yield entry
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)


def test_configuration(name: str, image: Image) -> None:
    assert image.config["User"] == f"{USER}:{USER}"
    assert set(image.config["ExposedPorts"]) == {f"{PORTS[name]}/tcp"}
    # nginx stops gracefully on SIGQUIT alone.
    assert image.config.get("StopSignal", "SIGTERM") == {"backend": "SIGTERM", "frontend": "SIGQUIT"}[name]


def test_serves_on_a_read_only_root_without_privileges(
    name: str, image: Image, start_container: Start, tmp_path: Path
) -> None:
    resolv_conf = tmp_path / "resolv.conf"
    resolv_conf.write_text("nameserver 127.0.0.1\nsearch default.svc.cluster.local svc.cluster.local cluster.local\n")
    running = start_container(
        Container(
            image,
            environment=ENVIRONMENT[name],
            security=Security(user=USER, group=USER),
            volumes={"/etc/resolv.conf": resolv_conf},
            empty=["/tmp"],
        )
    )

    def healthy() -> bool:
        assert running.running, running.logs()
        status, _ = running.get(f"http://127.0.0.1:{PORTS[name]}/healthz")
        return status == 200

    wait_until(healthy, f"the {name} to be healthy")
    assert running.stop() == 0


def test_nothing_to_build_with(image: Image) -> None:
    assert not [
        entry.path for entry in entries(image) if entry.name in BUILD_TOOLS and not entry.is_dir(follow_symlinks=False)
    ]


def test_its_user_may_change_nothing(image: Image) -> None:
    def writable(entry: os.DirEntry[str]) -> bool:
        status = entry.stat(follow_symlinks=False)
        sticky = entry.is_dir(follow_symlinks=False) and status.st_mode & stat.S_ISVTX
        if entry.is_symlink() or sticky or stat.S_ISCHR(status.st_mode):
            return False
        return status.st_uid == USER or status.st_gid == USER or bool(status.st_mode & stat.S_IWOTH)

    assert not [entry.path for entry in entries(image) if writable(entry)]
