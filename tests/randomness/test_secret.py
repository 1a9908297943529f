"""A secret is in its file, and in nothing else that anybody reads."""

from __future__ import annotations

import base64
import copy
import json
import logging
import os
import pickle
import pprint
import stat
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from deepprove_dist import kernels
from deepprove_dist.canonical import encode
from deepprove_dist.errors import DeepProveError, FormatError, SecretError
from deepprove_dist.randomness.secret import FORMAT, SECRET_BYTES, SECRET_FILE, VERSION, Secret

CONTENT = bytes(range(0x91, 0x91 + SECRET_BYTES))


def shows(text: str | bytes, content: bytes = CONTENT) -> bool:
    """Whether a text has the bytes in it, in one of the forms in which programs write bytes."""
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    # A part of the secret would be too much as well.
    part = content[8:20]
    forms = [part, part.hex().encode(), repr(part)[2:-1].encode(), str(list(part))[1:-1].encode()]
    forms.append(base64.b64encode(content)[12:24])
    return any(form in data for form in forms)


def everything(error: BaseException) -> str:
    """An error with its causes and with the variables of frames of the package, as some tools print it."""
    texts = [repr(error), str(error), repr(vars(error)), repr(error.args)]
    todo: list[BaseException | None] = [error]
    while todo:
        current = todo.pop()
        if current is None:
            continue
        todo += [current.__cause__, current.__context__]
        texts += [repr(current), repr(current.args)]
        for frame, _ in traceback.walk_tb(current.__traceback__):
            if "deepprove_dist" in frame.f_code.co_filename:
                texts += [f"{name}={value!r}" for name, value in frame.f_locals.items()]
    return "\n".join(texts)


def test_a_secret_is_found_where_it_is_shown() -> None:
    for shown in (repr(CONTENT), CONTENT.hex(), str(list(CONTENT)), base64.b64encode(CONTENT).decode()):
        assert shows(shown)
    assert shows(b"x" + CONTENT)
    assert not shows(repr(CONTENT[::-1]))


def test_secrets_are_drawn_from_the_system_and_differ() -> None:
    assert len({_bytes(Secret.generate()) for _ in range(20)}) == 20
    assert Secret(CONTENT) == Secret(CONTENT)
    assert Secret(CONTENT) != Secret.generate()
    assert Secret(CONTENT) != CONTENT


def _bytes(secret: Secret) -> bytes:
    return secret._bytes


@dataclass
class Holder:
    secret: Secret


class Message(msgspec.Struct):
    secret: Secret


@pytest.mark.parametrize("write", [repr, str, ascii, format, pprint.pformat, "{0!r} {0}".format, dir])
def test_no_text_of_a_secret_shows_it(write: Callable[[object], object]) -> None:
    secret = Secret(CONTENT)
    assert not shows(str(write(secret)))
    if write is not format:
        for holder in (Holder(secret), Message(secret), [secret], {"secret": secret}, ValueError(secret)):
            assert not shows(str(write(holder)))


def test_no_log_shows_it(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(CONTENT)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").error("with %s and %r", secret, secret, extra={"secret": secret})
    assert not shows(caplog.text)
    assert all(not shows(repr(vars(record))) for record in caplog.records)


def test_a_secret_has_no_variables_to_list() -> None:
    assert not hasattr(Secret(CONTENT), "__dict__")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_is_not_pickled(protocol: int) -> None:
    for holder in (Secret(CONTENT), Holder(Secret(CONTENT)), [Secret(CONTENT)]):
        with pytest.raises(TypeError, match="neither pickled nor copied") as caught:
            pickle.dumps(holder, protocol)
        assert not shows(everything(caught.value))


@pytest.mark.parametrize(
    "write", [copy.copy, copy.deepcopy, Secret.__reduce__, Secret.__getstate__, json.dumps, encode, bytes]
)
def test_a_secret_is_not_copied_or_written_by_others(write: Callable[[object], object]) -> None:
    with pytest.raises(TypeError) as caught:
        write(Secret(CONTENT))
    assert not shows(everything(caught.value))


def test_a_secret_is_not_sent_to_workers() -> None:
    cloudpickle, secret = pytest.importorskip("ray.cloudpickle"), Secret(CONTENT)
    with pytest.raises(TypeError, match="neither pickled nor copied"):
        cloudpickle.dumps(lambda: secret)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_secret_has_32_bytes(length: int) -> None:
    with pytest.raises(FormatError, match="32 bytes") as caught:
        Secret((CONTENT * 2)[:length])
    assert not shows(everything(caught.value))


def test_a_file_is_for_its_owner_only_and_gives_the_secret_back(tmp_path: Path) -> None:
    path = tmp_path / SECRET_FILE
    old = os.umask(0)
    try:
        Secret(CONTENT).save(path)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
    assert Secret.load(path) == Secret(CONTENT)
    assert FORMAT.encode() in path.read_bytes()[:64]


def test_a_strict_mask_leaves_the_owner_access(tmp_path: Path) -> None:
    old = os.umask(0o777)
    try:
        Secret(CONTENT).save(tmp_path / SECRET_FILE)
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / SECRET_FILE).stat().st_mode) == 0o600


def test_a_secret_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / SECRET_FILE
    Secret(CONTENT).save(path)
    before = path.read_bytes()
    with pytest.raises(SecretError, match="never replaced") as caught:
        Secret.generate().save(path)
    assert path.read_bytes() == before
    assert not shows(everything(caught.value))


def test_no_secret_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / SECRET_FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SecretError, match="never replaced"):
        Secret(CONTENT).save(tmp_path / SECRET_FILE)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("failing", range(2))
def test_a_failure_leaves_no_part_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    """The first sync is the file's, the second its folder's."""
    calls = []

    def full(_: int) -> None:
        calls.append(0)
        if len(calls) > failing:
            raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space") as caught:
        Secret(CONTENT).save(tmp_path / SECRET_FILE)
    assert not list(tmp_path.iterdir())
    assert not shows(everything(caught.value))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o610, 0o644, 0o666, 0o777])
def test_a_file_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / SECRET_FILE
    Secret(CONTENT).save(path)
    path.chmod(mode)
    with pytest.raises(SecretError, match=f"chmod 600 {path}"):
        Secret.load(path)
    path.chmod(0o400)
    assert Secret.load(path) == Secret(CONTENT)


def test_a_pipe_or_a_folder_is_no_secret(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(SecretError, match="plain file"):
        Secret.load(tmp_path / "pipe")
    with pytest.raises((OSError, SecretError)):
        Secret.load(tmp_path)
    with pytest.raises(FileNotFoundError):
        Secret.load(tmp_path / "missing")


def fields(**changes: object) -> bytes:
    return msgspec.msgpack.encode({"format": FORMAT, "version": VERSION, "secret": CONTENT} | changes)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        CONTENT,
        CONTENT.hex().encode(),
        fields()[:-1],
        fields() + b"\n",
        fields(format="deepprove-dist proof"),
        fields(version=VERSION + 1),
        fields(secret=CONTENT[:-1]),
        fields(secret=CONTENT + b"\0"),
        fields(secret=list(CONTENT)),
        fields(secret=CONTENT.hex()),
        fields(more=CONTENT),
        msgspec.msgpack.encode({"version": VERSION, "format": FORMAT, "secret": CONTENT}),
        fields(secret=CONTENT * 100),
    ],
)
def test_other_files_are_refused_and_not_shown(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / SECRET_FILE
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(FormatError, match=str(path)) as caught:
        Secret.load(path)
    assert not shows(everything(caught.value))


def test_derivation_gives_the_kernels_the_bytes_and_errors_do_not_show_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def derive_seed(secret: bytes, parts: list[tuple[str, bytes]]) -> bytes:
        assert secret == CONTENT
        if not parts:
            raise ValueError("no parts")
        return parts[0][1]

    monkeypatch.setattr(kernels, "derive_seed", derive_seed)
    assert Secret(CONTENT).derive((("a", b"answer"),)) == b"answer"
    with pytest.raises(ValueError, match="no parts") as caught:
        Secret(CONTENT).derive([])
    assert not shows(everything(caught.value))


def test_an_error_in_the_hands_of_an_exception_hook_shows_nothing(tmp_path: Path) -> None:
    path = tmp_path / SECRET_FILE
    path.write_bytes(fields(secret=CONTENT[:-1]))
    path.chmod(0o600)
    try:
        Secret.load(path)
    except DeepProveError:
        kind, error, trace = sys.exc_info()
        assert kind is not None
        assert error is not None
        lines = traceback.TracebackException(kind, error, trace, capture_locals=True).format()
        assert not shows("".join(lines))
