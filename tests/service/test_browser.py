"""The page in a browser: queue, workers, phases, verify, download and cancel."""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from benchmarks.serving import Service, serving
from deepprove_dist.service.application import create_application
from deepprove_dist.service.clients import Clients, read_token
from deepprove_dist.service.job import JobState
from deepprove_dist.service.job_service import JobService
from tests.hiding_keys import X, transparent_keys
from tests.service.conftest import Parts

pytestmark = pytest.mark.slow

BODY = {"input_data": X.reshape(1, -1).tolist()}
KEEP = "deepprove-dist token"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"needs a browser: {' or '.join(BROWSERS)}")
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def server(folders: dict[str, Path], tmp_path: Path) -> Iterator[Service]:
    with serving(tmp_path / "state", *folders.values()) as server:
        yield server


def test_the_page_shows_what_there_is(browser: Any, server: Service, tmp_path: Path) -> None:
    client = server.client
    done = client.submit("plain", BODY, context="<img src=x>", wait=30)
    page = browser.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)

    page.goto(client.url)
    assert not page.locator("#content").is_visible()
    page.fill("#token", "not the token of a client")
    page.click("#entry button")
    page.wait_for_selector("#problem:visible")
    assert "no token of a client" in page.inner_text("#problem")
    # The browser itself notes the answer 401.
    assert all("401" in problem for problem in problems)
    problems.clear()

    page.fill("#token", client.token)
    page.click("#entry button")
    page.wait_for_selector("#content:visible")
    assert "0 waiting, 0 running, 1 done" in page.inner_text("#queue")
    page.locator("#runners", has_text="plain").wait_for()
    assert re.findall(r"^\w+", page.inner_text("#keys"), re.MULTILINE) == ["plain", "hiding"]

    line = page.locator(f"tr[data-job='{done['id']}']")
    assert "done" in line.inner_text()
    titles = [part.get_attribute("title") for part in line.locator(".phases span").all()]
    assert {title.partition(":")[0] for title in titles} == set(done["phases"])
    with page.expect_download() as downloading:
        line.get_by_text("Download").click()
    downloading.value.save_as(tmp_path / "proof")
    assert (tmp_path / "proof").read_bytes() == transparent_keys().prove(X, context=b"<img src=x>").content
    line.get_by_text("Verify").click()
    line.locator(".valid").wait_for()

    with page.expect_download() as downloading:
        page.locator("#keys button").first.click()
    assert downloading.value.suggested_filename == "verifying.key"

    # What comes later is seen without a reload, and the token outlasts one.
    later = client.submit("hiding", BODY, wait=30)
    page.wait_for_selector(f"tr[data-job='{later['id']}'] .done")
    page.reload()
    page.wait_for_selector("#content:visible")
    assert problems == []


@pytest.fixture
def address(parts: Parts, tmp_path: Path) -> Iterator[str]:
    """Of the application without a runner: what waits goes on waiting."""
    Clients.generate(tmp_path / "tokens", "alice")
    application = create_application(
        JobService(parts.served, parts.store, parts.artifacts), Clients.load(tmp_path / "tokens")
    )
    server = uvicorn.Server(uvicorn.Config(application, port=0, log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def test_what_runs_has_its_phases_and_what_waits_is_cancelled(
    browser: Any, address: str, parts: Parts, tmp_path: Path
) -> None:
    ids = [parts.submit() for _ in range(60)]
    runner = parts.runner()
    running = parts.store.leases.claim(runner.id, keys=("plain",))
    assert running is not None
    parts.store.leases.renew(running, "opening", {"lookups": 1.5, "relations": 0.5})
    status = {**runner._status(), "key": "plain", "phase": "opening", "loaded": ["plain"]}
    parts.store.runners.report(runner.id, 1.0, {**status, "workers": [{"node": "node-b", "threads": 4}]})
    page = browser.new_page()
    page.add_init_script(f"sessionStorage.setItem('{KEEP}', '{read_token(tmp_path / 'tokens')}')")
    page.goto(address)
    page.wait_for_selector("#content:visible")
    assert "59 waiting, 1 running, 0 done" in page.inner_text("#queue")
    workers = page.inner_text("#runners")
    assert "plain: opening" in workers
    assert "node-b, 4 threads" in workers
    line = page.locator(f"tr[data-job='{ids[-1]}']")
    line.get_by_text("Cancel").click()
    line.locator(".cancelled").wait_for()
    assert parts.store.get(ids[-1]).state is JobState.CANCELLED
    page.click("#older")
    line = page.locator(f"tr[data-job='{running.id}']")
    line.wait_for()
    assert "running: opening" in line.inner_text()
    titles = [part.get_attribute("title") for part in line.locator(".phases span").all()]
    assert titles == ["lookups: 1.50 s", "relations: 0.50 s", "opening"]
