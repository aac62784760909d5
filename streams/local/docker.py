"""A server in a container, through the docker command alone, bound to 127.0.0.1."""

import subprocess
import uuid
from collections.abc import Mapping

from streams.errors import Misconfigured
from streams.local import leash
from streams.local.waiting import output_of

PULL_PATIENCE_S = 600.0


def unavailable() -> str | None:
    """None when a Docker engine answers, else why not; a probe for `choose`."""
    answer = output_of(["docker", "version", "--format", "{{.Server.Version}}"])
    return None if answer else "no engine answers"


class Container:
    """One container; `kill` and `start` keep it and its data, `stop` removes it, and so does our death."""

    def __init__(self, image: str, address: str, publish: str, env: Mapping[str, str]) -> None:
        self.address = address
        self._image = image
        self._name = f"tidings-{uuid.uuid4().hex[:12]}"
        options = [part for key, value in env.items() for part in ("--env", f"{key}={value}")]
        self._run = ["--detach", "--name", self._name, "--publish", publish, *options, image]
        self._exists = False

    def start(self) -> None:
        """Runs the image the first time, later starts the same container again."""
        if self._exists:
            self._docker("start", self._name)
            return
        leash.at_our_end(self._name, ["docker", "rm", "--force", "--volumes", self._name])
        self._docker("run", *self._run)
        self._exists = True

    def kill(self) -> None:
        """SIGKILL inside the engine."""
        self._docker("kill", self._name)

    def stop(self) -> None:
        """Removes container and data."""
        output_of(["docker", "rm", "--force", "--volumes", self._name], 60)
        leash.settled(self._name)
        self._exists = False

    def died(self) -> str | None:
        """The end of its log, when the container no longer runs."""
        state = output_of(["docker", "inspect", "--format", "{{.State.Status}}", self._name])
        if state is None or state.strip() not in {"exited", "dead"}:
            return None
        return " | ".join((output_of(["docker", "logs", "--tail", "5", self._name]) or "").splitlines())

    def _docker(self, verb: str, *argv: str) -> None:
        try:
            done = subprocess.run(
                ["docker", verb, *argv], check=False, capture_output=True, text=True, timeout=PULL_PATIENCE_S
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Misconfigured("docker_failed", f"docker {verb} for {self._image}: {error}") from None
        if done.returncode:
            said = " | ".join(done.stderr.strip().splitlines()[-3:])
            raise Misconfigured("docker_failed", f"docker {verb} for {self._image} said: {said}")
