"""The contract of docker.io/library/postgres:17, as its stand-in keeps it."""

import gzip
import lzma
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stack import wait_until
from stack.container import Container, Image, Running, Security

Start = Callable[[Container], Running]

DATA = "/var/lib/postgresql/data"
SCRIPTS = "/docker-entrypoint-initdb.d"
INITIALISED = "PostgreSQL init process complete; ready for start up."
SKIPPED = "Skipping initialization"

ROOT = Security(capabilities=("CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"))
"""The least that the image needs when it starts as root."""


@pytest.fixture(scope="session")
def image() -> Image:
    return Image.from_environment("postgres")


@pytest.fixture
def container(image: Image, volume: Path) -> Container:
    """The image on an empty volume, with its data in a subdirectory."""
    return Container(
        image,
        environment={"POSTGRES_PASSWORD": "secret", "PGDATA": f"{DATA}/pgdata", "POSTGRES_INITDB_ARGS": "--no-sync"},
        security=ROOT,
        volumes={DATA: volume},
        empty=["/var/run/postgresql", "/tmp"],
    )


def with_environment(container: Container, **changes: str) -> Container:
    return replace(container, environment={**container.environment, **changes})


def wait_ready(running: Running) -> Running:
    def ready() -> bool:
        assert running.running, running.logs()
        # Over TCP, where the temporary server of the initialisation does not listen.
        return running.execute("pg_isready", "-h", "127.0.0.1", "-U", "postgres").returncode == 0

    wait_until(ready, "the server to be ready")
    return running


def psql(running: Running, statement: str, *options: str) -> subprocess.CompletedProcess[str]:
    return running.execute("psql", "-XAqtw", "-v", "ON_ERROR_STOP=1", *options, "-c", statement)


def sql(running: Running, statement: str, *options: str) -> str:
    done = psql(running, statement, *(options or ("-U", "postgres")))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_how_a_runtime_starts_and_stops_it(image: Image) -> None:
    assert image.config["Entrypoint"] == ["docker-entrypoint.sh"]
    assert image.config["Cmd"] == ["postgres"]
    assert image.config["StopSignal"] == "SIGINT"
    assert set(image.config["ExposedPorts"]) == {"5432/tcp"}
    assert not image.config.get("User")
    assert image.environment.items() >= {"PGDATA": DATA, "PG_MAJOR": "17", "LANG": "en_US.utf8"}.items()


def test_user_and_group(image: Image) -> None:
    assert "\npostgres:x:999:999:" in (image.root / "etc/passwd").read_text()
    assert "\npostgres:x:999:" in (image.root / "etc/group").read_text()


@pytest.mark.parametrize("program", ["flock", "psql", "pg_isready", "pg_dump", "pg_ctl", "initdb"])
def test_program_on_the_path(image: Image, program: str) -> None:
    folders = image.environment["PATH"].split(":")
    assert any((image.root / folder.lstrip("/") / program).is_file() for folder in folders)


DATABASE = 'coin\'s "own"'
AS_KEEPER = ("-U", "keeper", "-d", DATABASE)


def write_scripts(folder: Path, image: Image) -> None:
    """One of each kind; each notes that it ran, and the last what the server then listened on."""

    def note(name: str) -> bytes:
        return f"INSERT INTO ran VALUES ('{name}');\n".encode()

    executable = folder / "1-executable.sh"
    zstd = subprocess.run(["chroot", image.root, "zstd", "-q"], input=note("zst"), capture_output=True, check=True)
    (folder / "0.sql").write_text("CREATE TABLE ran (name text);\n")
    executable.write_text(
        "#!/bin/sh\n"
        'psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "INSERT INTO ran VALUES (\'executable\')"\n'
    )
    executable.chmod(0o755)
    (folder / "2-sourced.sh").write_text("docker_process_sql -c \"INSERT INTO ran VALUES ('sourced')\"\n")
    (folder / "3.sql.gz").write_bytes(gzip.compress(note("gz")))
    (folder / "4.sql.xz").write_bytes(lzma.compress(note("xz")))
    (folder / "5.sql.zst").write_bytes(zstd.stdout)
    (folder / "6.txt").write_text("no script")
    (folder / "7.sql").write_text("INSERT INTO ran SELECT concat('[', current_setting('listen_addresses'), ']');\n")


@pytest.fixture(scope="module")
def everything(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server of whose initialisation everything was asked at once."""
    folder = tmp_path_factory.mktemp("everything")
    data, wal, scripts, tools = (folder / name for name in ("data", "wal", "scripts", "tools"))
    for each in (data, wal, scripts, tools):
        each.mkdir(mode=0o755)
    settings = {
        "POSTGRES_USER": "keeper",
        "POSTGRES_PASSWORD": "from a file",
        "POSTGRES_DB": DATABASE,
        "POSTGRES_INITDB_ARGS": "--data-checksums --no-sync --locale-provider=icu --icu-locale='de'",
    }
    for name, value in settings.items():
        (tools / name).touch(mode=0o600)
        (tools / name).write_text(f"{value}\n")
    # Found before the real one: notes what the list of processes shows of it.
    (tools / "initdb").write_text(
        '#!/bin/sh\nprintf "%s\\n" "$@" > /tmp/argv\nexec "/usr/lib/postgresql/$PG_MAJOR/bin/initdb" "$@"\n'
    )
    (tools / "initdb").chmod(0o755)
    write_scripts(scripts, image)
    container = Container(
        image,
        args=["-c", "cluster_name=it's $HOME"],
        environment={
            "PATH": f"/mnt:{image.environment['PATH']}",
            "POSTGRES_INITDB_WALDIR": "/srv/wal",
            **{f"{name}_FILE": f"/mnt/{name}" for name in settings},
        },
        security=ROOT,
        volumes={DATA: data, "/srv": wal, SCRIPTS: scripts, "/mnt": tools},
        empty=["/var/run/postgresql", "/tmp"],
    )
    with container.start(folder / "log") as running:
        yield wait_ready(running)
    shutil.rmtree(folder)


class TestEverything:
    def test_scripts_ran_in_order_before_the_server_listened(self, everything: Running) -> None:
        ran = sql(everything, "SELECT string_agg(name, ' ' ORDER BY ctid) FROM ran", *AS_KEEPER)
        assert ran == "executable sourced gz xz zst []"
        assert f"ignoring {SCRIPTS}/6.txt" in everything.logs()
        assert INITIALISED in everything.logs()

    def test_then_listens_everywhere(self, everything: Running) -> None:
        assert sql(everything, "SHOW listen_addresses", *AS_KEEPER) == "*"

    def test_options_reach_initdb(self, everything: Running) -> None:
        assert sql(everything, "SHOW data_checksums", *AS_KEEPER) == "on"
        assert sql(everything, "SELECT datlocale FROM pg_database WHERE datname = 'template1'", *AS_KEEPER) == "de"

    def test_options_reach_the_server(self, everything: Running) -> None:
        assert sql(everything, "SHOW cluster_name", *AS_KEEPER) == "it's $HOME"

    def test_log_directory_is_where_it_was_asked_for(self, everything: Running) -> None:
        assert everything.execute("readlink", f"{DATA}/pg_wal").stdout.strip() == "/srv/wal"

    def test_server_runs_as_postgres(self, everything: Running) -> None:
        assert everything.execute("stat", "-c", "%U %G", "/proc/1").stdout.strip() == "postgres postgres"

    def test_password_is_in_no_list_of_processes(self, everything: Running) -> None:
        argv = everything.execute("cat", "/tmp/argv").stdout
        assert "--username=keeper" in argv
        assert "from a file" not in argv

    @pytest.mark.parametrize(
        ("password", "admitted"), [("from a file", True), ("wrong", False), (None, False)], ids=["right", "wrong", "no"]
    )
    def test_other_addresses_need_the_password(self, everything: Running, password: str | None, admitted: bool) -> None:
        # Not 127.0.0.0/8, which initdb trusts; one of the range for test networks.
        address = "198.18.0.1"
        network = ["nsenter", f"--target={everything.pid}", "--net"]
        subprocess.run([*network, "ip", "address", "replace", f"{address}/32", "dev", "lo"], check=True)
        command = ["psql", "-Xw", "-h", address, *AS_KEEPER, "-c", "SELECT"]
        done = everything.execute(*(["env", f"PGPASSWORD={password}"] if password else []), *command)
        assert (done.returncode == 0) == admitted, done.stderr
        rule = "SELECT auth_method FROM pg_hba_file_rules WHERE address = 'all'"
        assert sql(everything, rule, *AS_KEEPER) == "scram-sha-256"

    def test_socket_and_loopback_are_trusted(self, everything: Running) -> None:
        assert sql(everything, "SELECT 1", *AS_KEEPER) == "1"
        assert sql(everything, "SELECT 1", *AS_KEEPER, "-h", "127.0.0.1") == "1"


@pytest.mark.parametrize(
    "security",
    [
        pytest.param(ROOT, id="root"),
        pytest.param(Security(user=999, group=999, groups=(999,)), id="postgres"),
        pytest.param(Security(user=12345, group=12345), id="user without a passwd entry"),
    ],
)
def test_first_and_second_start(container: Container, start_container: Start, volume: Path, security: Security) -> None:
    container = replace(container, security=security)
    if security.user:
        # What fsGroup does to a volume.
        subprocess.run(["chown", f"0:{security.group}", volume], check=True)
        volume.chmod(0o2775)
    first = wait_ready(start_container(container))
    assert INITIALISED in first.logs()
    sql(first, "CREATE TABLE kept ()")
    assert first.stop() == 0
    data = volume / "pgdata"
    assert data.stat().st_mode & 0o777 == 0o700
    if not security.user:
        subprocess.run(["chown", "-R", "0:0", data], check=True)
    second = wait_ready(start_container(container))
    assert SKIPPED in second.logs()
    assert sql(second, "SELECT count(*) FROM kept") == "0"
    assert second.stop() == 0


def test_a_restart_as_root_needs_one_capability_more(container: Container, start_container: Start) -> None:
    """Only the first start works without DAC_OVERRIDE: then the directory has become the server's, closed to root."""
    less = replace(ROOT, capabilities=[name for name in ROOT.capabilities if name != "DAC_OVERRIDE"])
    container = replace(container, security=less)
    assert wait_ready(start_container(container)).stop() == 0
    second = start_container(container)
    assert second.wait() != 0
    assert "Permission denied" in second.logs()


def test_needs_a_password(container: Container, start_container: Start, volume: Path) -> None:
    running = start_container(with_environment(container, POSTGRES_PASSWORD=""))
    assert running.wait() == 1
    assert "superuser password is not specified" in running.logs()
    assert not (volume / "pgdata" / "PG_VERSION").exists()


def test_trust_needs_no_password(container: Container, start_container: Start) -> None:
    running = wait_ready(
        start_container(with_environment(container, POSTGRES_PASSWORD="", POSTGRES_HOST_AUTH_METHOD="trust"))
    )
    assert sql(running, "SELECT auth_method FROM pg_hba_file_rules WHERE address = 'all'") == "trust"


@pytest.mark.parametrize("name", ["POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB", "POSTGRES_INITDB_ARGS"])
def test_a_value_and_its_file_exclude_each_other(container: Container, start_container: Start, name: str) -> None:
    running = start_container(with_environment(container, **{name: "--value", f"{name}_FILE": "/etc/hostname"}))
    assert running.wait() == 1
    assert f"{name} and {name}_FILE are" in running.logs()


def test_a_directory_with_something_else_in_it_is_refused(
    container: Container, start_container: Start, volume: Path
) -> None:
    (volume / "lost+found").mkdir()
    running = start_container(with_environment(container, PGDATA=DATA))
    assert running.wait() == 1
    assert "exists but is not empty" in running.logs()


def test_a_failing_script_ends_the_start(container: Container, start_container: Start, tmp_path: Path) -> None:
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "fails.sql").write_text("SELECT 1/0;\n")
    running = start_container(replace(container, volumes={**container.volumes, SCRIPTS: scripts}))
    assert running.wait() != 0
    assert "division by zero" in running.logs()
    assert INITIALISED not in running.logs()


def test_a_killed_initialisation_is_taken_for_a_complete_one(
    container: Container, start_container: Start, tmp_path: Path
) -> None:
    """As with the official image: what the scripts had yet to do is missing, and nothing says so."""
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "blocks.sh").write_text("echo blocked; sleep infinity\n")
    first = start_container(replace(container, volumes={**container.volumes, SCRIPTS: scripts}))
    first.wait_for_log("blocked")
    first.kill()
    second = wait_ready(start_container(container))
    assert SKIPPED in second.logs()
    assert INITIALISED not in second.logs()


@pytest.mark.parametrize("args", [["--version"], ["-V"], ["postgres", "--help"], ["--describe-config"]])
def test_questions_to_the_server_initialise_nothing(
    container: Container, start_container: Start, volume: Path, args: list[str]
) -> None:
    # The server refuses root all but --help and --version.
    running = start_container(replace(container, args=args, security=Security(user=999, group=999)))
    assert running.wait() == 0
    assert running.logs()
    assert not list(volume.iterdir())


def test_other_commands_run_as_they_are(container: Container, start_container: Start, volume: Path) -> None:
    running = start_container(replace(container, args=["sh", "-c", "id -u; echo $0 $1", "a", "b"]))
    assert running.wait() == 0
    assert running.logs() == "0\na b\n"
    assert not list(volume.iterdir())
