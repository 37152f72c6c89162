"""The real App in a real Chromium, with a database and a plugins folder of its own."""

from __future__ import annotations

# isort: off
# First of all: it gives this process a FiftyOne of its own.
from tests.integration import conftest as own_fiftyone  # noqa: F401

# isort: on

import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest
from fiftyone.core.service import ServerService
from playwright.sync_api import BrowserContext, Page, sync_playwright

from fiftyone_cocomask.datasets.folders import dataset_folder
from fiftyone_cocomask.demo import write_demo_export
from tests.plugin import link_plugin

from .app_page import AppPage

_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nothing but the App itself: other addresses would only keep a test waiting.
    # A route of Playwright would do it too, but turns off the browser's cache.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
)
_FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Where the App is, on a port of its own.

    Not from ``fo.launch_app``: its session drops its connection where a dataset was
    deleted before it has heard of it, and when it connects again after ten seconds, the
    page that is open by then shows no dataset any more.
    """
    link_plugin(fo.config.plugins_dir)
    # The server joins the database of this process, so that must be running.
    fo.list_datasets()
    port = _free_port()
    server = ServerService(port, address="127.0.0.1", do_not_track=True)
    yield f"http://localhost:{port}"
    server.stop()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """A browser that keeps the App's code from test to test, compiled."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("browser"),
            executable_path=_CHROMIUM,
            args=list(_ARGUMENTS),
            viewport={"width": 1500, "height": 1000},
        )
        yield browser
        browser.close()


@pytest.fixture
def app(
    address: str, browser: BrowserContext, request: pytest.FixtureRequest
) -> Iterator[AppPage]:
    """A fresh page of the App; a picture of it is kept where a test fails."""
    before = set(fo.list_datasets())
    _open_nothing(browser, address)
    page = browser.new_page()
    yield AppPage(page, address)
    if request.node.stash.get(_FAILED, False):
        _keep_picture(page, request.node.name)
    page.close()
    _forget_what_the_app_kept(browser, address)
    for name in set(fo.list_datasets()) - before:
        fo.delete_dataset(name)
        # The next test's dataset of that name would find masks that are not its own.
        shutil.rmtree(dataset_folder(name), ignore_errors=True)


@pytest.fixture(scope="session")
def demo_export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's export: 21 images, 3 splits, an RLE, a broken annotation."""
    return write_demo_export(tmp_path_factory.mktemp("demo") / "butterflies")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome: Any = yield
    report = outcome.get_result()
    if report.when == "call":
        item.stash[_FAILED] = report.failed


def _forget_what_the_app_kept(browser: BrowserContext, address: str) -> None:
    """Deletes what the App keeps in the browser, but not the App itself."""
    # The empty page that the browser starts with: the App's is closed by now.
    kept = browser.new_cdp_session(browser.pages[0])
    what = {"origin": address, "storageTypes": "local_storage,indexeddb,cookies"}
    kept.send("Storage.clearDataForOrigin", what)
    kept.detach()


def _keep_picture(page: Page, name: str) -> None:
    folder = Path(tempfile.gettempdir()) / "cocomask-failed-app-tests"
    folder.mkdir(exist_ok=True)
    picture = folder / f"{name}.png"
    page.screenshot(path=picture)
    print(f"\nA picture of the App is at {picture}")


def _open_nothing(browser: BrowserContext, address: str) -> None:
    """Makes the App's server forget what the test before has opened."""
    event = {"event": "state_update", "data": {"state": {}}, "subscription": "tests"}
    # The server closes a connection that was idle, perhaps just when this one uses it.
    answer = browser.request.post(f"{address}/event", data=event, max_retries=3)
    assert answer.ok


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
