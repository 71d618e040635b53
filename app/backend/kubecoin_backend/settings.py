"""What the environment tells the backend; the README lists the variables."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

SESSION_ATTRS = ("any", "read-write", "read-only", "primary", "standby", "prefer-standby")
"""What libpq takes as `target_session_attrs`: which servers a connection may be to."""


class SettingsError(Exception):
    """A variable is missing or has a value that cannot be used."""


@dataclass(frozen=True)
class Settings:
    """Where the database is, and who answers."""

    db_host: str
    """One name, or several with commas between them, which are tried in this order."""
    db_password: str = field(repr=False)
    db_port: int = 5432
    db_name: str = "kubecoin"
    db_user: str = "postgres"
    db_target_session_attrs: str = "any"
    pod: str = field(default_factory=socket.gethostname)
    """Name of this backend: in Kubernetes the host's name is the pod's."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Reads the `DB_…` variables.

        Raises `SettingsError` for all that is wrong, together.
        """
        missing = [name for name in ("DB_HOST", "DB_PASSWORD") if not environment.get(name)]
        errors = [f"{name} is not set" for name in missing]
        port = environment.get("DB_PORT") or str(cls.db_port)
        if not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
            errors.append(f"DB_PORT is {port!r}, which is no port number")
        attrs = environment.get("DB_TARGET_SESSION_ATTRS") or cls.db_target_session_attrs
        if attrs not in SESSION_ATTRS:
            errors.append(f"DB_TARGET_SESSION_ATTRS is {attrs!r}, which is none of {', '.join(SESSION_ATTRS)}")
        if errors:
            raise SettingsError("; ".join(errors))
        return cls(
            db_host=environment["DB_HOST"],
            db_password=environment["DB_PASSWORD"],
            db_port=int(port),
            db_name=environment.get("DB_NAME") or cls.db_name,
            db_user=environment.get("DB_USER") or cls.db_user,
            db_target_session_attrs=attrs,
        )
