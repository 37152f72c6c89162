"""A report opens without a network, shows its charts and can be printed."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import BrowserContext, expect

import fiftyone_cocomask as fcm


def test_a_report_shows_its_charts_and_asks_for_nothing(
    browser: BrowserContext, demo_export: Path, tmp_path: Path
) -> None:
    report = fcm.write_report(demo_export, tmp_path / "report.html")
    page = browser.new_page()
    asked: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(report.as_uri())
    charts = page.locator(".chart")
    expect(page.locator("body")).to_have_attribute("data-ready", "yes")
    assert charts.count() == page.locator(".chart .main-svg:first-child").count() > 2
    for width in (1500, 500):
        page.set_viewport_size({"width": width, "height": 900})
        box = charts.first.bounding_box()
        assert box is not None
        assert 300 < box["width"] <= width
    assert page.locator("figure img").count() > 0
    assert page.pdf()[:5] == b"%PDF-"
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [
        report.as_uri()
    ]
    assert errors == []
    page.close()
