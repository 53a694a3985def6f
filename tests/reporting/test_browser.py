"""The page in a real browser: it asks for nothing, slides, and fits a phone."""

from importlib.util import find_spec

import pytest
from browsers import BROWSER, FLAGS
from reports import make_report_data, needs_matplotlib

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


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(page_text(make_report_data(30)), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def page(browser, address):
    """The page, opened offline; the test fails if it asks for anything or complains."""
    asked, complaints = [], []
    page = browser.new_page(viewport={"width": 1200, "height": 800}, offline=True, accept_downloads=True)
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    yield page
    page.close()
    assert {url for url in asked if not url.startswith("data:")} <= {address}
    assert complaints == []


def seen(page, x):
    """Returns the color of the slider's picture at a share of its width, in the middle of its upper half."""
    box = page.locator(".compare").bounding_box()
    spot = {"x": box["x"] + x * box["width"], "y": box["y"] + box["height"] * 0.25, "width": 1, "height": 1}
    return page.screenshot(clip=spot)


def test_it_slides_between_before_and_after_of_the_picture_chosen(page):
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

    first, last = page.locator(".sheet button").all()
    assert page.locator(".caption").inner_text() == "Frame 29 · 0:01.16"
    first.click()
    assert page.locator(".caption").inner_text() == "Frame 0 · 0:00.00"
    assert page.locator(".compare .after").get_attribute("src") == first.locator("img").get_attribute("src")
    assert page.locator(".compare .before").get_attribute("src") == first.get_attribute("data-before")
    assert (first.get_attribute("aria-pressed"), last.get_attribute("aria-pressed")) == ("true", "false")


def test_it_fits_any_window_is_dark_where_the_system_is_and_its_numbers_can_be_saved(page):
    def lightness(scheme):
        page.emulate_media(color_scheme=scheme)
        color = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, color[4:-1].split(",")))

    assert lightness("dark") < 150
    assert lightness("light") > 600
    page.locator("#numbers summary").click()
    for width in (320, 375, 768, 1600):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
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
