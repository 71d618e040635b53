"""Fixtures shared by the test suites of the application."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .container import Container, Running
from .postgres import CREATE_TABLE, PostgreSQL


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL]:
    """A running server that all tests share; those that stop it start it again."""
    with PostgreSQL() as server:
        yield server


@pytest.fixture
def wallets_table(postgres: PostgreSQL) -> PostgreSQL:
    """The shared server with an empty table `wallets`."""
    with postgres.connect() as connection:
        connection.execute("DROP TABLE IF EXISTS wallets")
        connection.execute(CREATE_TABLE)
    return postgres


@pytest.fixture
def start_container(tmp_path: Path) -> Iterator[Callable[[Container], Running]]:
    """Starts containers that do not outlive the test."""
    numbers = itertools.count()
    with ExitStack() as running:
        yield lambda container: running.enter_context(container.start(tmp_path / f"container-{next(numbers)}.log"))


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    """An empty folder as the kubelet makes it for a hostPath volume."""
    folder = tmp_path / "volume"
    folder.mkdir(mode=0o755)
    yield folder
    shutil.rmtree(folder)
