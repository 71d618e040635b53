"""The instrument itself: a container is given exactly what was asked for."""

from collections.abc import Callable

import pytest

from stack.container import Container, Image, Running, Security

CAPABILITIES = {"CHOWN": 0, "DAC_OVERRIDE": 1, "FOWNER": 3, "SETGID": 6, "SETUID": 7}


@pytest.mark.parametrize(
    "security",
    [
        Security(),
        Security(capabilities=tuple(CAPABILITIES)),
        Security(user=999, group=999, groups=(999, 2000), capabilities=("CHOWN",)),
    ],
    ids=["root without any", "root with five", "plain user"],
)
def test_ids_and_capabilities(start_container: Callable[[Container], Running], security: Security) -> None:
    running = start_container(
        Container(Image.from_environment("postgres"), command=["cat", "/proc/1/status"], security=security)
    )
    assert running.wait() == 0
    status = dict(line.split(":\t", 1) for line in running.logs().splitlines())
    granted = sum(1 << CAPABILITIES[name] for name in security.capabilities)
    assert status["Pid"] == "1"
    assert set(status["Uid"].split()) == {str(security.user)}
    assert set(status["Gid"].split()) == {str(security.group)}
    assert status["Groups"].split() == [str(group) for group in security.groups]
    assert int(status["CapBnd"], 16) == granted
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == (0 if security.user else granted)
    assert int(status["CapInh"], 16) == int(status["CapAmb"], 16) == 0
    assert status["NoNewPrivs"] == "1"
