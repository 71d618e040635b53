"""nginx itself: what it serves, with which headers, and how it finds the backend."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
from collections.abc import Iterator

import pytest
from parts import Stack, away

from stack import wait_until
from stack.nameserver import NameServer
from stack.nginx import SOURCE, Frontend

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def get(frontend: Frontend, path: str, headers: dict[str, str] | None = None) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", frontend.port, timeout=15)
    connection.request("GET", path, headers=headers or {})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


@pytest.fixture(scope="module")
def frontend(stack: Stack) -> Frontend:
    return stack.frontend


@pytest.fixture(scope="module")
def asset(frontend: Frontend) -> str:
    """The path of the page's script."""
    _, body = get(frontend, "/")
    match = re.search(rb'src="(/assets/[^"]+\.js)"', body)
    assert match
    return match[1].decode()


@pytest.fixture
def nameserver() -> Iterator[NameServer]:
    with NameServer() as server:
        yield server


def test_it_starts_without_a_word(stack: Stack):
    with Frontend(stack.backend.url) as frontend:
        assert frontend.log == ""


@pytest.mark.parametrize(
    "path", ["/", "/w/anna", "/healthz", "/readyz", "/api/info", "/api/nothing", "/assets/nothing.js", "/nothing"]
)
def test_every_answer_has_the_security_headers(frontend: Frontend, path: str):
    answer, _ = get(frontend, path)
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers.get_all(name) == [value]
    assert "camera=()" in answer.headers["Permissions-Policy"]
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Server"] == "nginx"


def test_the_opener_policy_is_sent_where_browsers_heed_it(frontend: Frontend):
    def policy(**headers: str) -> str | None:
        return get(frontend, "/", {name.replace("_", "-"): value for name, value in headers.items()})[0].headers[
            "Cross-Origin-Opener-Policy"
        ]

    assert policy(Host="localhost:8080") == "same-origin"
    assert policy(Host="exchange.test", X_Forwarded_Proto="https") == "same-origin"
    assert policy(Host="exchange.test:30080") is None


@pytest.mark.parametrize("path", ["/", "/w/anna", "/w/", "/w/main.js"])
def test_the_page_is_never_kept(frontend: Frontend, path: str):
    answer, body = get(frontend, path)
    assert answer.status == 200
    assert b'<div id="root">' in body
    assert answer.headers["Cache-Control"] == "no-cache"


def test_assets_are_kept_for_ever_and_compressed(frontend: Frontend, asset: str):
    answer, _ = get(frontend, asset, {"Accept-Encoding": "gzip"})
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "javascript" in answer.headers["Content-Type"]


def test_it_is_ready_with_the_page_alone(frontend: Frontend):
    answer, body = get(frontend, "/readyz")
    assert answer.status == 200
    assert b'<div id="root">' in body


@pytest.mark.parametrize("path", ["/assets/index-00000000.js", "/nothing"])
def test_what_is_not_there_is_not_found_and_not_kept(frontend: Frontend, path: str):
    answer, body = get(frontend, path)
    assert answer.status == 404
    assert b'<div id="root">' not in body
    assert answer.headers["Cache-Control"] is None


def test_requests_are_logged_as_json(frontend: Frontend, asset: str):
    get(frontend, f"{asset}?a=%22b")
    lines = [line for line in frontend.log.splitlines() if asset in line]
    assert json.loads(lines[-1])["status"] == 200


def test_it_serves_before_the_backends_name_resolves_and_finds_it_later(stack: Stack, nameserver: NameServer):
    resolv_conf = f"search shop.svc.cluster.local svc.cluster.local\nnameserver {nameserver.address}\n"
    with Frontend(f"http://backend-service:{stack.backend.port}", resolv_conf) as frontend:
        assert get(frontend, "/")[0].status == 200
        answer, body = get(frontend, "/api/info")
        assert answer.status == 503
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert json.loads(body)["type"] == "urn:kubecoin:problem:backend-unavailable"
        assert nameserver.asked == {"backend-service.shop.svc.cluster.local."}

        nameserver.addresses["backend-service.shop.svc.cluster.local."] = "127.0.0.1"
        wait_until(lambda: get(frontend, "/api/info")[0].status == 200, "the backend by its name", timeout=10)

        with away(stack.backend):
            assert get(frontend, "/api/info")[0].status == 503
        wait_until(lambda: get(frontend, "/api/info")[0].status == 200, "the backend again", timeout=10)
        assert frontend.stop() == 0


def test_a_name_with_a_dot_is_taken_as_it_is(nameserver: NameServer):
    resolv_conf = f"nameserver {nameserver.address}\nsearch shop.svc.cluster.local\n"
    with Frontend("http://backend.shop:5000/", resolv_conf) as frontend:
        assert get(frontend, "/api/info")[0].status == 503
        assert nameserver.asked == {"backend.shop."}


def test_ipv6_name_servers_and_zones_do_not_stop_it(nameserver: NameServer):
    resolv_conf = f"nameserver fe80::1%eth0\nnameserver ::1\nnameserver {nameserver.address}\n"
    with Frontend("http://backend-service:5000", resolv_conf) as frontend:
        assert get(frontend, "/")[0].status == 200


@pytest.mark.parametrize(
    "url", ["", "backend:5000", "https://backend", "http://a b", "http://backend:5000/x", "http://a;b"]
)
def test_a_wrong_backend_url_is_refused(url: str, tmp_path):
    (tmp_path / "index.html").touch()
    environment = {"PATH": "/usr/bin:/bin", "BACKEND_URL": url, "HTML_ROOT": str(tmp_path), "RUN_DIR": str(tmp_path)}
    done = subprocess.run(
        [SOURCE / "nginx" / "start.sh"], env=environment, capture_output=True, text=True, timeout=10, check=False
    )
    assert done.returncode == 2
    assert "BACKEND_URL must be http://HOST[:PORT]" in done.stderr
