"""Several hosts on one Linux machine: network namespaces with a switch between them, for tests and trials.

A host has an address, a name, processes, a file system and shared memory of its own. It takes logins over
ssh. What it writes is gone with it. The switch is in a namespace too, so that the machine's own network stays
as it is. Addresses are those set aside for documentation. Needs root, iproute2, util-linux and sshd.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_SCRIPT = Path(__file__).with_name("host.sh")
HOME = "/root"
"""Of the one who logs in to a host: root of the host's own file system."""

_NETWORK = "198.51.100"
_START_SECONDS = 20.0


def missing() -> str | None:
    """Why there can be no hosts on this machine, or None."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "needs root"
    lacking = [name for name in ("ip", "nsenter", "unshare", "sshd", "ssh", "rsync") if _which(name) is None]
    if lacking:
        return f"needs {', '.join(lacking)}"
    probe = ["unshare", "--mount", "--net", "--pid", "--fork", "true"]
    if subprocess.run(probe, capture_output=True, check=False).returncode != 0:
        return "needs the right to make namespaces"
    return None


@dataclass(frozen=True)
class Host:
    """A running host: its address, and its process 1 as this machine numbers it."""

    name: str
    address: str
    process: int

    def popen(self, command: str, folder: Path | str = HOME) -> subprocess.Popen[str]:
        """Starts a command in a login shell on the host."""
        enter = ["nsenter", f"--target={self.process}", "--all", f"--wd=/proc/{self.process}/root"]
        shell = ["bash", "--login", "-c", f"cd {folder} && {command}"]
        # Not this process's environment: a host would not have it.
        environment = {
            "HOME": HOME,
            "USER": "root",
            "TERM": "dumb",
            "PATH": os.defpath + ":/usr/sbin:/sbin",
        }
        return subprocess.Popen(
            [*enter, "--root", *shell],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )

    def run(self, command: str, timeout: float = 60.0, folder: Path | str = HOME) -> str:
        """What a command printed. Raises AssertionError where it fails."""
        process = self.popen(command, folder)
        try:
            output, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            raise AssertionError(f"{self.name}: {command}: not done after {timeout:g} s:\n{output}") from None
        assert process.returncode == 0, f"{self.name}: {command}: status {process.returncode}\n{output}"
        return output

    def write(self, path: str, content: str | bytes, mode: int = 0o600) -> None:
        """Puts a file onto the host."""
        target = Path(f"/proc/{self.process}/root") / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        target.chmod(mode)

    def read(self, path: str) -> bytes:
        """A file of the host."""
        return (Path(f"/proc/{self.process}/root") / path.lstrip("/")).read_bytes()


class Hosts:
    """Hosts with one switch between them; `key` is the private key that all of them let in."""

    def __init__(self, hosts: Sequence[Host], key: str, switch: str) -> None:
        self.all = tuple(hosts)
        self.key = key
        self._switch = switch

    def unplug(self, host: Host) -> None:
        """Takes a host's cable out: it is not heard of any more, and nobody is told."""
        _do("ip", "-n", self._switch, "link", "set", f"to-{host.name}", "down")

    def kill(self, host: Host) -> None:
        """Takes a host off the network and then its power away: all its processes are gone at once."""
        self.unplug(host)
        os.kill(host.process, signal.SIGKILL)


@contextmanager
def start_hosts(count: int) -> Iterator[Hosts]:
    """That many hosts, ready for logins; all of them end with the block."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        _do("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "key"))
        tag = folder.name[-4:]
        switch = f"dp-{tag}-sw"
        stack.enter_context(_namespace(switch))
        _do("ip", "-n", switch, "link", "add", "switch", "type", "bridge")
        _do("ip", "-n", switch, "link", "set", "switch", "up")
        hosts = [stack.enter_context(_host(folder, switch, tag, number)) for number in range(count)]
        for host in hosts:
            _await_login(host)
        yield Hosts(hosts, (folder / "key").read_text(), switch)


@contextmanager
def _namespace(name: str) -> Iterator[None]:
    _do("ip", "netns", "add", name)
    try:
        yield
    finally:
        _do("ip", "netns", "del", name)


@contextmanager
def _host(folder: Path, switch: str, tag: str, number: int) -> Iterator[Host]:
    name, address = f"host{number}", f"{_NETWORK}.{10 + number}"
    network = f"dp-{tag}-{number}"
    directory = folder / name
    directory.mkdir()
    with _namespace(network):
        cable = ["link", "add", f"to-{name}", "netns", switch, "type", "veth"]
        _do("ip", *cable, "peer", "name", "eth0", "netns", network)
        _do("ip", "-n", switch, "link", "set", f"to-{name}", "master", "switch", "up")
        _do("ip", "-n", network, "addr", "add", f"{address}/24", "dev", "eth0")
        _do("ip", "-n", network, "link", "set", "lo", "up")
        _do("ip", "-n", network, "link", "set", "eth0", "up")
        kinds = ("--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child")
        command = [
            "ip",
            "netns",
            "exec",
            network,
            "unshare",
            *kinds,
            str(_SCRIPT),
            str(directory),
            name,
            address,
        ]
        # The script reads the key as file 3.
        hand_over = ["bash", "-c", 'exec "$@" 3<&0 </dev/null', "host", *command]
        with (folder / "key.pub").open() as key, (folder / f"{name}.log").open("wb") as log:
            outer = subprocess.Popen(hand_over, stdin=key, stdout=log, stderr=log)
        try:
            yield Host(name, address, _only_child(outer.pid))
        finally:
            _end(outer)


def _only_child(process: int) -> int:
    """The first process in the new namespaces: the only child of `unshare`."""
    children = Path(f"/proc/{process}/task/{process}/children")
    return int(_await(lambda: children.read_text().strip(), f"no child of process {process}"))


def _await_login(host: Host) -> None:
    def up() -> bool:
        try:
            return b"sshd" in Path(f"/proc/{host.process}/cmdline").read_bytes()
        except OSError:
            return False

    _await(up, f"{host.name} has not started")


def _await(probe: Callable[[], T], why: str) -> T:
    """What the probe finds, once it finds something. Raises TimeoutError."""
    end = time.monotonic() + _START_SECONDS
    while not (result := probe()):
        if time.monotonic() > end:
            raise TimeoutError(why)
        time.sleep(0.05)
    return result


def _end(outer: subprocess.Popen[bytes]) -> None:
    # `unshare` ends its child, and with that process 1 everything in the host.
    outer.kill()
    outer.wait()


def _which(name: str) -> str | None:
    return shutil.which(name, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin")


def _do(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
