"""The page of `bundle verify` in a real browser: what it shows, how it is used, what it loads."""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from psops.report import Look
from psops.report.verify import render_verify
from tests.report.cases import EVIL
from tests.report.conftest import GOLDEN
from tests.report.verify_cases import TRICKY, VERIFY_CASES, fleet, hostile

CHROMIUM = Path(os.environ.get("PSOPS_TEST_CHROMIUM", "/usr/bin/chromium"))
#: A browser that starts as root, and asks no one for anything.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update"]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists() and os.environ.get("CI") != "true":
        pytest.skip(f"no {CHROMIUM}: apt-get install chromium, or set PSOPS_TEST_CHROMIUM")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield started
        started.close()


class Opened:
    """Opens reports in a page, and keeps what the page asked for and complained of."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page = page
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self._file = folder / "report.html"
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.route("**/*", self._route)

    def _route(self, route: Route) -> None:
        self.asked.append(route.request.url)
        route.continue_()

    def open(self, text: str) -> Page:
        self._file.write_text(text, encoding="utf-8")
        self.page.goto(self._file.as_uri())
        return self.page

    def case(self, name: str) -> Page:
        return self.open(render_verify(VERIFY_CASES[name][0], "html", Look()))


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Opened]:
    """Give a fresh page; whatever a test does, it may ask for nothing and complain of nothing."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
    made = Opened(context.new_page(), tmp_path)
    yield made
    assert [url for url in made.asked if not url.endswith("/report.html")] == []
    assert made.complaints == []
    context.close()


def labels(page: Page) -> list[str]:
    return page.locator("tbody th button").all_inner_texts()


def heads(page: Page) -> list[str]:
    return [text.rstrip(" ▲▼") for text in page.locator("thead button").all_text_contents()]


def test_grid_has_a_row_per_host_and_a_column_per_daemon(opened: Opened) -> None:
    page = opened.case("verify-three")
    expect(page).to_have_title("critical · psops bundle verify")
    assert sorted(labels(page)) == ["archive.example.org", "ps01", "ps02"]
    assert len(heads(page)) == 2 + 11
    cell = page.get_by_label("ps02, pscheduler-runner: critical, failed")
    expect(cell).to_have_text("×")
    expect(page.locator("td.cell")).to_have_count(33)
    expect(page.locator("#shown")).to_have_text("3 of 3 hosts, 11 of 11 daemons")


def test_click_shows_what_to_type_and_the_log(opened: Opened) -> None:
    page = opened.case("verify-three")
    details = page.locator("#details")
    expect(details).to_be_hidden()
    page.get_by_label("ps02, pscheduler-runner: critical, failed").click()
    expect(details.locator("h2")).to_have_text("pscheduler-runner")
    expect(details.locator("code").first).to_have_text(
        "journalctl -u pscheduler-runner.service -n 50"
    )
    expect(details.locator("pre")).to_contain_text("could not connect to server")
    details.get_by_role("button", name="Close").click()
    expect(details).to_be_hidden()
    page.get_by_label("ps02, pscheduler-scheduler: critical, stopped").click()
    expect(details).to_contain_text("Because of postgresql.")


def test_host_tells_its_role_and_leads_to_its_findings(opened: Opened) -> None:
    page = opened.case("verify-waived")
    page.get_by_role("button", name="ps02", exact=True).click()
    expect(page.locator("#details")).to_contain_text("perfsonar-testpoint is installed")
    expect(page.locator("#details")).to_contain_text("the waiver of 'ntp' ended")
    page.get_by_role("button", name="ps01", exact=True).click()
    page.locator("#details li button").first.click()
    expect(page.locator("#details h2")).to_have_text("pscheduler-runner")
    expect(page.locator("#details")).to_contain_text("moves to new hardware")


def test_keyboard_walks_opens_and_comes_back(opened: Opened) -> None:
    page = opened.case("verify-three")
    first = page.locator("td.cell").first
    assert page.locator("td.cell[tabindex='0']").count() == 1
    first.focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    focused = page.locator("td.cell:focus")
    expect(focused).to_have_attribute("data-row", "1")
    expect(focused).to_have_attribute("data-place", "1")
    page.keyboard.press("Enter")
    expect(page.locator("#details h2")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#details")).to_be_hidden()
    expect(focused).to_have_attribute("data-place", "1")


def test_filters_by_verdict_bundle_and_daemons_not_ok(opened: Opened) -> None:
    page = opened.open(render_verify(fleet(20), "html", Look()))
    chip = page.locator("#chips button")
    chip.filter(has_text="critical").click()
    assert sorted(labels(page)) == ["ps04", "ps11", "ps13"]
    expect(chip.filter(has_text="critical")).to_have_attribute("aria-pressed", "true")
    page.get_by_label("Only daemons and checks not ok").check()
    assert heads(page)[2:] == ["postgresql", "pscheduler-scheduler", "pscheduler-runner",
                               "pscheduler-api"]  # fmt: skip
    page.get_by_label("Only daemons and checks not ok").uncheck()
    chip.filter(has_text="critical").click()
    assert len(labels(page)) == 20
    page.get_by_label("Bundle").select_option("toolkit")
    assert heads(page)[2:4] == ["opensearch", "logstash"]
    assert len(heads(page)) == 2 + 11
    page.get_by_label("Bundle").select_option("")
    chip.filter(has_text="waived").click()
    assert labels(page) == ["ps18"]


@pytest.mark.parametrize(
    ("term", "rows", "columns"),
    [("ps1", 10, 23), ("OPENSEARCH", 19, 1), ("timed-out", 1, 23), ("boot", 1, 23),
     ("no such thing", 0, 23)],
)  # fmt: skip
def test_search_finds_hosts_daemons_and_reasons(
    opened: Opened, term: str, rows: int, columns: int
) -> None:
    page = opened.open(render_verify(fleet(20), "html", Look()))
    page.get_by_role("searchbox").fill(term)
    assert len(labels(page)) == rows
    assert len(heads(page)) == 2 + columns
    expect(page.locator("#none")).to_be_visible(visible=not rows)


def test_sorts_by_host_verdict_and_daemon(opened: Opened) -> None:
    page = opened.open(render_verify(fleet(20), "html", Look()))
    assert labels(page)[:4] == ["ps04", "ps11", "ps13", "ps20"]
    page.get_by_role("button", name="Host", exact=True).click()
    assert labels(page)[:2] == ["ps01", "ps02"]
    page.get_by_role("button", name="Host", exact=True).click()
    assert labels(page)[:2] == ["ps20", "ps19"]
    expect(page.locator("th[aria-sort=descending]")).to_have_count(1)
    page.get_by_role("button", name="ntp", exact=True).click()
    assert labels(page)[0] == "ps17"


def test_thousand_hosts_are_folded_and_unfold_at_once(opened: Opened) -> None:
    page = opened.open(render_verify(fleet(1000), "html", Look()))
    expect(page.get_by_label("Fold equal hosts")).to_be_checked()
    assert len(labels(page)) == 6
    page.get_by_label("Fold equal hosts").uncheck()
    expect(page.locator("tbody tr")).to_have_count(1000, timeout=15000)
    page.get_by_role("searchbox").fill("ps0013")
    assert labels(page) == ["ps0013"]
    page.get_by_role("searchbox").fill("")
    page.get_by_label("Fold equal hosts").check()
    page.locator("td.cell.is-critical").first.click()
    expect(page.locator("#details .where").first).to_contain_text("on ps[0004,0011")


def test_hosts_that_were_not_read_say_why(opened: Opened) -> None:
    page = opened.case("verify-unreachable")
    expect(page.locator("td.why")).to_have_count(2)
    page.get_by_role("button", name="ps03", exact=True).click()
    expect(page.locator("#details")).to_contain_text("raise --connect-timeout on slow links")


@pytest.mark.parametrize("name", ["verify-none-reachable", "verify-no-bundle"])
def test_page_without_daemons_is_no_empty_page(opened: Opened, name: str) -> None:
    page = opened.case(name)
    expect(page.locator("td.why").first).to_be_visible()


@pytest.mark.parametrize("text", [EVIL, TRICKY, "<img src=x onerror=alert(1)><!--<script>"])
def test_text_of_hosts_is_text(opened: Opened, text: str) -> None:
    from psops.report.text import clean

    page = opened.open(render_verify(hostile(text), "html", Look()))
    page.get_by_label("ps01, a-critical: critical, failed").click()
    expect(page.locator("#details section p").nth(1)).to_have_text(clean(text))
    expect(page.locator("#details b, #details img")).to_have_count(1)  # the verdict's own
    assert page.locator("script").count() == 2


def test_policy_forbids_what_is_not_in_the_page(opened: Opened) -> None:
    page = opened.case("verify-ok")
    loaded = page.evaluate(
        """async () => {
            const failed = [];
            await fetch("https://example.org/").catch(() => failed.push("fetch"));
            const image = new Image();
            await new Promise(done => {
                image.onerror = done; image.src = "https://example.org/a.png";
            });
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
            return [failed, window.ran === undefined];
        }"""
    )
    assert loaded == [["fetch"], True]
    assert len(opened.complaints) >= 3
    assert all("Content Security Policy" in text or "Failed to" in text or "Refused" in text
               for text in opened.complaints)  # fmt: skip
    opened.complaints.clear()


def channels(color: str) -> list[float]:
    return [float(number) / 255 for number in re.findall(r"[\d.]+", color)[:3]]


def luminance(color: str) -> float:
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels(color)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_themes_can_be_read(opened: Opened, theme: str) -> None:
    page = opened.page
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    opened.open(render_verify(fleet(20), "html", Look()))
    chips = page.locator("#chips i, .top .badge")
    for at in range(chips.count()):
        text, back = chips.nth(at).evaluate(
            "one => [getComputedStyle(one).color, getComputedStyle(one).backgroundColor]"
        )
        bright, dark = sorted((luminance(text), luminance(back)), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) >= 4.5, (theme, at, text, back)
    background = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert (luminance(background) < 0.2) == (theme == "dark")


def test_theme_is_chosen_and_kept(opened: Opened) -> None:
    page = opened.case("verify-ok")
    for wanted in ("light", "dark"):
        page.locator("#theme").click()
        expect(page.locator("html")).to_have_attribute("data-theme", wanted)
    page.wait_for_timeout(500)  # Chromium hands what is stored to the next page a moment later
    page.reload()
    expect(page.locator("#theme")).to_have_text("Theme: dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("width", [400, 1280])
def test_page_is_never_wider_than_its_window(opened: Opened, width: int) -> None:
    page = opened.page
    page.set_viewport_size({"width": width, "height": 800})
    opened.open(render_verify(fleet(20), "html", Look()))
    page.get_by_label("ps13, postgresql: critical, stopped").click()
    expect(page.locator("#details code")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_no_golden_file_holds_the_page() -> None:
    assert not list(GOLDEN.glob("*.html"))


def test_rows_and_columns_are_called_what_they_are(opened: Opened) -> None:
    report = replace(VERIFY_CASES["verify-three"][0], noun="component")
    page = opened.open(render_verify(report, "html", Look()))
    expect(page.locator("#shown")).to_have_text("3 of 3 components, 11 of 11 daemons")
    assert heads(page)[0] == "Component"
    assert "host" not in page.locator(".controls").inner_text().lower()
    page.get_by_role("button", name="ps02", exact=True).click()
    expect(page.locator("#details")).to_contain_text("component")
