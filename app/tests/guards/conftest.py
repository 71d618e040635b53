"""Pods of the StatefulSet `postgres` on one volume."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from stack.container import Container, Image, Running

from .pods import Manifest, Server


@pytest.fixture(scope="session")
def manifest() -> Manifest:
    return Manifest()


@pytest.fixture(scope="session")
def image() -> Image:
    return Image.from_environment("postgres")


@pytest.fixture(scope="session")
def initialised(manifest: Manifest, image: Image, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A volume with an empty table `marks`, whose server was stopped cleanly."""
    volume = tmp_path_factory.mktemp("initialised")
    # As the kubelet makes the directory of a hostPath volume.
    volume.chmod(0o755)
    with manifest.pod("postgres-0", image, volume).start(tmp_path_factory.mktemp("logs") / "log") as running:
        server = Server(running, manifest).wait_ready()
        server.sql("CREATE TABLE marks (number integer PRIMARY KEY)")
        running.stop()
    return volume


@pytest.fixture
def pod(manifest: Manifest, image: Image, initialised: Path, volume: Path) -> Container:
    """The pod postgres-0 on a copy of `initialised`."""
    subprocess.run(["cp", "-a", f"{initialised}/.", volume], check=True)
    return manifest.pod("postgres-0", image, volume)


@pytest.fixture
def start(manifest: Manifest, start_container: Callable[[Container], Running]) -> Callable[[Container], Server]:
    """Starts a pod that does not outlive the test."""
    return lambda container: Server(start_container(container), manifest)
