"""The StatefulSet's pod, read from its manifest, and the server in a pod that was started."""

import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from stack import wait_until
from stack.container import DEADLINE, Container, Image, Running, Security

MANIFEST = Path(__file__).parents[3] / "k8s/level-2-volumes/postgres-statefulset.yaml"
CREDENTIALS = {"username": "postgres", "password": "of-these-tests"}


class Manifest:
    """The pod template of the manifest."""

    def __init__(self) -> None:
        pod = yaml.safe_load(MANIFEST.read_text())["spec"]["template"]["spec"]
        (self.container,) = (each for each in pod["containers"] if each["name"] == "postgres")
        self.grace = pod["terminationGracePeriodSeconds"]
        self.readiness = self.container["readinessProbe"]["exec"]["command"]
        self.database = self.environment("postgres-0")["POSTGRES_DB"]

    def environment(self, pod: str) -> dict[str, str]:
        """The variables of `pod`; the only field of it that they may name is its name."""

        def value(variable: dict[str, Any]) -> str:
            if "value" in variable:
                return str(variable["value"])
            source = variable["valueFrom"]
            return CREDENTIALS[source["secretKeyRef"]["key"]] if "secretKeyRef" in source else pod

        return {variable["name"]: value(variable) for variable in self.container["env"]}

    def pod(self, name: str, image: Image, volume: Path) -> Container:
        """The pod `name` with the folder `volume` for its claim."""
        environment = self.environment(name)
        mounts = {mount["name"]: mount["mountPath"] for mount in self.container["volumeMounts"]}
        return Container(
            image,
            command=self.container["command"],
            args=[
                re.sub(r"\$\((\w+)\)", lambda variable: environment[variable[1]], each)
                for each in self.container["args"]
            ],
            environment=environment,
            security=Security(capabilities=self.container["securityContext"]["capabilities"]["add"]),
            volumes={mounts.pop("data"): volume},
            empty=list(mounts.values()),
        )

    def impatient(self, container: Container) -> Container:
        """The same pod, but it waits for the lock for 1 s instead of the manifest's deadline."""
        command = [re.sub(rf"\b{self.grace}\b", "1", each) for each in container.command or ()]
        assert command != container.command, f"the lock script does not wait the grace period, {self.grace} s"
        return replace(container, command=command)


class Session:
    """A psql in a pod; each statement sent to it answers with one line."""

    def __init__(self, psql: subprocess.Popen[str]) -> None:
        assert psql.stdin
        assert psql.stdout
        self._psql, self._input, self._output = psql, psql.stdin, psql.stdout

    def send(self, *statements: str) -> None:
        self._input.writelines(f"{statement};\n" for statement in statements)
        self._input.flush()

    def answer(self) -> int:
        return int(self._output.readline())

    def rest(self) -> set[int]:
        """Ends it; the answers that were not taken yet."""
        output, _ = self._psql.communicate(timeout=DEADLINE)
        return {int(line) for line in output.splitlines() if line.isdigit()}


class Server:
    """A pod that was started, and the rows of its table `marks`."""

    def __init__(self, running: Running, manifest: Manifest) -> None:
        self.running = running
        self._manifest = manifest

    @property
    def _psql(self) -> list[str]:
        user, database = CREDENTIALS["username"], self._manifest.database
        return ["psql", "-XAqt", "-v", "ON_ERROR_STOP=1", "-U", user, "-d", database]

    def wait_ready(self) -> "Server":
        """Waits until the manifest's readiness probe passes; RuntimeError with its log if the server ends."""

        def ready() -> bool:
            if not self.running.running:
                raise RuntimeError(f"the server ended:\n{self.running.logs()}")
            return self.running.execute(*self._manifest.readiness).returncode == 0

        wait_until(ready, "the server to be ready")
        return self

    def sql(self, statement: str) -> str:
        done = self.running.execute(*self._psql, "-c", statement)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def session(self) -> "Session":
        """A psql that takes one statement after the other."""
        return Session(self.running.popen(*self._psql))

    def postmaster(self) -> int:
        """The postmaster's process number inside the pod."""
        return int(self.sql("SELECT (regexp_split_to_array(pg_read_file('postmaster.pid'), '\\n'))[1]"))

    def mark(self, number: int) -> None:
        """Writes a row; on return the server has acknowledged it."""
        self.sql(f"INSERT INTO marks VALUES ({number})")

    def marks(self) -> set[int]:
        return {int(row) for row in self.sql("SELECT number FROM marks").splitlines()}
