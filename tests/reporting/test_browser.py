"""The page in a real browser: it asks for nothing, slides, and fits a phone."""

from importlib.util import find_spec

import pytest
from browsers import BROWSER, FLAGS
from reports import make_facts, needs_matplotlib

from vidstyle.reporting.page import page_text

pytestmark = [
    needs_matplotlib,
    pytest.mark.skipif(find_spec("playwright") is None, reason="Playwright drives the browser: pip install playwright"),
    pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed"),
]


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def address(tmp_path):
    path = tmp_path / "page.html"
    path.write_text(page_text(make_facts(30)), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def view(browser, address):
    """Opens the page offline, and fails where it asks for anything or complains."""
    asked, said, contexts = [], [], []

    def opened(width=1200, scheme="light"):
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True, accept_downloads=True
        )
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert {url for url in asked if not url.startswith("data:")} <= {address}
    assert said == []


def seen(page, x):
    """Returns the color of the slider's picture at a share of its width, in the middle of its upper half."""
    box = page.locator(".compare").bounding_box()
    spot = {"x": box["x"] + x * box["width"], "y": box["y"] + box["height"] * 0.25, "width": 1, "height": 1}
    return page.screenshot(clip=spot)


def test_it_slides_between_before_and_after(view):
    page = view()
    slider = page.locator(".compare input")
    before, after = [], []
    for value, colors in ((100, before), (0, after)):
        slider.fill(str(value))
        colors += [seen(page, 0.3), seen(page, 0.7)]
    slider.fill("50")
    assert seen(page, 0.3) == before[0] != after[0]
    assert seen(page, 0.7) == after[1] != before[1]
    box = page.locator(".compare").bounding_box()
    page.mouse.click(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 4)
    assert float(slider.input_value()) == pytest.approx(90, abs=3)
    assert seen(page, 0.7) == before[1]
    slider.press("ArrowLeft")
    assert float(slider.input_value()) < 91


def test_a_picture_of_the_contact_sheet_is_shown_large(view):
    page = view()
    first, last = page.locator(".sheet button").all()
    assert page.locator(".caption").inner_text() == "Frame 29 · 0:01.16"
    first.click()
    assert page.locator(".caption").inner_text() == "Frame 0 · 0:00.00"
    assert page.locator(".compare .after").get_attribute("src") == first.locator("img").get_attribute("src")
    assert page.locator(".compare .before").get_attribute("src") == first.get_attribute("data-before")
    assert (first.get_attribute("aria-pressed"), last.get_attribute("aria-pressed")) == ("true", "false")


@pytest.mark.parametrize("width", [320, 375, 768, 1600])
def test_it_is_never_wider_than_the_window(view, width):
    page = view(width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("#numbers summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_is_dark_where_the_system_is(view):
    def lightness(scheme):
        color = view(scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, color[4:-1].split(",")))

    assert lightness("dark") < 150
    assert lightness("light") > 600


def test_the_numbers_can_be_saved(view):
    page = view()
    with page.expect_download() as download:
        page.locator("#numbers a").click()
    text = download.value.path().read_text()
    assert download.value.suggested_filename == "out.csv"
    assert len(text.splitlines()) == 31


def test_without_scripts_the_pictures_are_seen(browser, address):
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(address)
    assert page.locator(".sheet img").count() == 2
    assert page.locator(".sheet img").first.is_visible()
    assert not page.locator(".compare").is_visible()
    context.close()
