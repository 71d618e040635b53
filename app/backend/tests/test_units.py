"""What needs no database: the price, the settings, the search of a nonce."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from time import monotonic

import pytest

from kubecoin_backend import mining, price
from kubecoin_backend.settings import Settings, SettingsError

MOMENT = datetime(2026, 11, 23, 20, 0, 0, tzinfo=UTC)


def test_the_price_is_a_function_of_time_alone() -> None:
    # Known values: a change of the formula would make replicas of two versions disagree.
    points = price.history(price.at(MOMENT), 4)
    assert [str(point.price) for point in points] == ["182.59", "183.69", "184.35", "184.78"]
    price._lattice.cache_clear()
    assert price.history(price.at(MOMENT), 4) == points


def test_a_point_holds_for_its_interval() -> None:
    assert price.at(MOMENT + timedelta(seconds=1.999)) == price.at(MOMENT)
    assert price.at(MOMENT + timedelta(seconds=2)).at == MOMENT + timedelta(seconds=2)


def test_the_price_moves_within_its_bounds() -> None:
    prices = [point.price for point in price.history(price.at(MOMENT), 50_000)]
    assert min(prices) > 50
    assert max(prices) < 200
    assert max(prices) - min(prices) > 50
    steps = [abs(after - before) for before, after in pairwise(prices)]
    assert max(steps) < 8
    assert sum(step > 0 for step in steps) > 0.95 * len(steps)
    assert all(price == price.quantize(Decimal("0.01")) for price in prices[:100])


def test_a_nonce_is_a_proof() -> None:
    proof = mining.mine("anna", monotonic() + 60)
    assert proof.hash == hashlib.sha256(f"anna:{proof.nonce}".encode()).hexdigest()
    assert proof.hash.startswith("0000")


def test_a_busy_miner_is_not_waited_for_beyond_the_deadline() -> None:
    with mining._miner, pytest.raises(mining.NothingFound):
        mining.mine("anna", monotonic() + 0.01)


def test_a_search_ends_at_its_deadline() -> None:
    with pytest.raises(mining.NothingFound):
        mining.mine("anna", monotonic() - 0.01)


def test_settings_have_defaults() -> None:
    settings = Settings.from_environment({"DB_HOST": "db", "DB_PASSWORD": "secret"})
    assert (settings.db_port, settings.db_name, settings.db_user) == (5432, "kubecoin", "postgres")
    assert settings.db_target_session_attrs == "any"
    assert "secret" not in repr(settings)


def test_settings_name_all_that_is_wrong() -> None:
    with pytest.raises(SettingsError, match=r"DB_HOST.*DB_PASSWORD.*DB_PORT is 'http'"):
        Settings.from_environment({"DB_PORT": "http"})
    with pytest.raises(SettingsError, match=r"DB_TARGET_SESSION_ATTRS is 'writable'.*read-write"):
        Settings.from_environment({"DB_HOST": "db", "DB_PASSWORD": "secret", "DB_TARGET_SESSION_ATTRS": "writable"})
