from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from calls import Caller
from kubecoin_backend.app import create_app
from kubecoin_backend.settings import Settings
from stack.backend import Backend
from stack.fixtures import postgres, wallets_table
from stack.postgres import PostgreSQL

__all__ = ["postgres", "wallets_table"]


@pytest.fixture(scope="session")
def app(postgres: PostgreSQL) -> Iterator[Flask]:
    """The application inside the test's own process."""
    application = create_app(Settings.from_environment(postgres.environment()))
    yield application
    application.extensions["database"].close()


@pytest.fixture
def client(app: Flask, wallets_table: PostgreSQL) -> FlaskClient:
    """Calls the application directly, on an empty table."""
    return app.test_client()


@pytest.fixture
def database(wallets_table: PostgreSQL) -> Iterator[psycopg.Connection]:
    """A session beside the application's, to look at and to disturb what it does."""
    with wallets_table.connect() as connection:
        yield connection


@pytest.fixture
def backend(wallets_table: PostgreSQL) -> Iterator[Backend]:
    """A gunicorn of its own, on an empty table."""
    with Backend(wallets_table.environment()) as running:
        yield running


@pytest.fixture
def caller(backend: Backend) -> Caller:
    """Calls that gunicorn."""
    return Caller(backend.url)
