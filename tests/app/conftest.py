"""The real App in a real Chromium, with a database and a plugins folder of its own."""

from __future__ import annotations

# isort: off
# First of all: it gives this process a FiftyOne of its own.
from tests.integration.conftest import pytest_configure  # noqa: F401

# isort: on

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest
from fiftyone.constants import SERVER_DIR
from playwright.sync_api import BrowserContext, Page, ViewportSize, sync_playwright

from fiftyone_cocomask import (
    compute_masks,
    evaluate_mask_area,
    evaluate_mask_coverage,
    import_roboflow_coco,
)
from fiftyone_cocomask.datasets.folders import dataset_folder
from tests.plugin import link_plugin

from .app_page import AppPage

# The first one is made for this, has no window to draw, and takes a twentieth less of
# the processors. Where there is none of them, Playwright takes its own.
_BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser")
_CHROMIUM = next(filter(None, map(shutil.which, _BROWSERS)), None)
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    # What is clicked a few times is not worth V8's last and slowest compiler.
    "--js-flags=--no-opt",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nothing but the App itself: other addresses would only keep a test waiting.
    # A route of Playwright would do it too, but turns off the browser's cache.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
)
# What moves is drawn in software, up to sixty times a second, on the processors that
# the App itself needs: a fifth of the browser's time. Its editor draws all the time:
# here as on a screen that shows 10 pictures a second.
_WITHOUT_MOTION = """() => {
    window.requestAnimationFrame = draw => setTimeout(
        () => draw(performance.now()), 100
    );
    window.cancelAnimationFrame = clearTimeout;
    const style = document.createElement("style");
    style.textContent = `*, *::before, *::after {
        animation-delay: 0s !important;
        animation-duration: 0s !important;
        animation-iteration-count: 1 !important;
        transition: none !important;
    }`;
    const observer = new MutationObserver(add);
    function add() {
        if (document.documentElement) {
            observer.disconnect();
            document.documentElement.append(style);
        }
    }
    observer.observe(document, {childList: true});
    add();
}"""
VIEWPORT: ViewportSize = {"width": 1500, "height": 1000}
# FiftyOne reads each plugin's fiftyone.yml with each request, twice: a sixth of the
# server's time went into the parser that is written in Python.
_SERVER = """
import runpy, yaml
yaml.SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
runpy.run_path("main.py", run_name="__main__")
"""
_FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Where the App is, on a port of its own.

    Not from ``fo.launch_app``: its session drops its connection where a dataset was
    deleted before it has heard of it, and when it connects again after ten seconds, the
    page that is open by then shows no dataset any more. Nor from its ``ServerService``,
    which gives up after a minute, and takes twice the time: it has a process in between
    that imports FiftyOne, too.
    """
    link_plugin(fo.config.plugins_dir)
    port = _free_port()
    address = f"http://localhost:{port}"
    command = [sys.executable, "-c", _SERVER, "--port", str(port)]
    # These name the database of this process, which the server joins.
    environment = {**os.environ, "FIFTYONE_DISABLE_SERVICES": "1"}
    with subprocess.Popen(
        [*command, "--address", "127.0.0.1"], cwd=SERVER_DIR, env=environment
    ) as server:
        while not _answers(f"{address}/fiftyone"):
            assert server.poll() is None, "the App's server has ended"
            time.sleep(0.1)
        yield address
        server.terminate()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """A browser that keeps the App's code from test to test, compiled."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("browser"),
            executable_path=_CHROMIUM,
            args=list(_ARGUMENTS),
            viewport=VIEWPORT,
            reduced_motion="reduce",
        )
        browser.add_init_script(f"({_WITHOUT_MOTION})()")
        yield browser
        browser.close()


class Pages:
    """The page of the App, which one test after the other uses.

    To load the App takes longer than most of what a test does in it.
    """

    def __init__(self, browser: BrowserContext, address: str) -> None:
        self._browser = browser
        self._address = address
        self._left: AppPage | None = None

    def enter(self) -> AppPage:
        """Returns the App with no dataset open."""
        app, self._left = self._left, None
        if app is None:
            _open_nothing(self._browser, self._address)
            app = AppPage(self._browser.new_page(), self._address)
            app.load()
        return app

    def leave(self, app: AppPage) -> None:
        """Closes the dataset, as its session does, so that it can be deleted."""
        # The App goes back to it where it was just telling the server of a view.
        for _ in range(3):
            _open_nothing(self._browser, self._address)
            if app.is_left(seconds=5):
                self._left = app
                return
        self.close(app)

    def renew(self) -> None:
        """Makes the next test load the App anew."""
        if self._left is not None:
            self.close(self._left)
            self._left = None

    def close(self, app: AppPage, *, failed: str | None = None) -> None:
        """Closes a page, and keeps a picture of it for the name of a failed test."""
        if failed is not None:
            _keep_picture(app.page, failed)
        app.page.close()
        _forget_what_the_app_kept(self._browser, self._address)


@pytest.fixture(scope="session")
def pages(browser: BrowserContext, address: str) -> Pages:
    return Pages(browser, address)


@pytest.fixture(scope="module")
def own_page(pages: Pages) -> Iterator[None]:
    """A page for tests of the modal, which keeps its tabs from dataset to dataset."""
    yield
    pages.renew()


@pytest.fixture
def app(pages: Pages, request: pytest.FixtureRequest) -> Iterator[AppPage]:
    """The App with no dataset open, and none of what the test has made stays."""
    before = set(fo.list_datasets())
    app = pages.enter()
    yield app
    if has_failed(request.node):
        pages.close(app, failed=request.node.name)
    else:
        pages.leave(app)
    for name in set(fo.list_datasets()) - before:
        fo.delete_dataset(name)
        # The next test's dataset of that name would find masks that are not its own.
        shutil.rmtree(dataset_folder(name), ignore_errors=True)


@pytest.fixture(scope="session")
def evaluated(demo_export: Path) -> fo.Dataset:
    """The demo with masks, their areas and coverages: to be read, or cloned."""
    dataset, _ = import_roboflow_coco(demo_export, "evaluated")
    compute_masks(dataset)
    evaluate_mask_area(dataset, label_field="segmentations")
    evaluate_mask_coverage(dataset, label_field="segmentations")
    return dataset


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome: Any = yield
    report = outcome.get_result()
    if report.when == "call":
        item.stash[_FAILED] = report.failed


def has_failed(test: pytest.Item) -> bool:
    """Whether a test has failed that is being cleaned up after."""
    return test.stash.get(_FAILED, False)


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


def _answers(address: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(address):
        return True
    return False


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
