"""How gunicorn runs the backend."""

import os
import sys

from kubecoin_backend.logs import CONFIG
from kubecoin_backend.settings import Settings, SettingsError

wsgi_app = "kubecoin_backend.app:create_app()"
bind = "0.0.0.0:5000"

# One process, so that it has one pool and one set of metrics. Three times as many threads as connections
# of the pool: the database being slow leaves threads for the probes.
workers = 1
worker_class = "gthread"
threads = 24

# Requests in flight end by themselves within 2 seconds.
graceful_timeout = 10
# Longer than nginx keeps an idle connection to the backend.
keepalive = 75

worker_tmp_dir = "/dev/shm"  # noqa: S108
control_socket_disable = True
logconfig_dict = CONFIG


def on_starting(_: object) -> None:
    """Ends with one line where the worker, starting with wrong settings, would end with a trace."""
    try:
        Settings.from_environment(os.environ)
    except SettingsError as error:
        sys.exit(f"kubecoin-backend: {error}")
