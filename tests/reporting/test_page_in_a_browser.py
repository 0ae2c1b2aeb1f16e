"""The page in Chromium: the list, the pictures, the keys, the charts, on a desktop and on a phone."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pixelfast
from report_footage import EVIL, scores_of, write_footage

OpenPage = Callable[..., Any]
TEXTS = ("ink", "soft", "accent", "link")
BEHIND = ("paper", "card", "hover", "accent-soft")
LANES = ("flipped", "repaired", "noisy", "frozen", "labelled")
DRAWN = ".plot[data-drawn]"


def chosen(page: Any) -> str:
    """The number of the moment that is shown; the list says the same."""
    (shown,) = page.locator(".moment:visible").all()
    (current,) = page.locator(".list a[aria-current]").all()
    number: str = shown.get_attribute("data-moment")
    assert current.get_attribute("data-moment") == number
    return number


def test_the_list_shows_what_is_clicked(page_file: Path, open_page: OpenPage) -> None:
    page = open_page(page_file)
    assert page.locator(".list li").count() == 3
    assert chosen(page) == "1"
    page.locator(".list a").nth(2).click()
    assert chosen(page) == "3"
    assert page.url.endswith("#moment-3")
    assert "Moves as nothing does here" in page.locator("#said").inner_text()
    assert page.locator(".moment:visible .large").evaluate("image => image.naturalWidth") == 64


def test_j_and_k_walk_the_moments_and_stop_at_the_ends(page_file: Path, open_page: OpenPage) -> None:
    page = open_page(page_file)
    walked = []
    for key in "jjjkkkk":
        page.keyboard.press(key)
        walked.append(chosen(page))
    assert "".join(walked) == "2332111"
    page.keyboard.press("Control+j")
    assert chosen(page) == "1"


def test_the_focus_goes_along_in_the_list(page_file: Path, open_page: OpenPage) -> None:
    page = open_page(page_file)
    page.locator(".list a").first.focus()
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.dataset.moment") == "2"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert float(outline.removesuffix("px")) >= 2


def test_where_is_toggled_by_button_key_and_picture(page_file: Path, open_page: OpenPage) -> None:
    page = open_page(page_file, reduced_motion="reduce")
    overlay, button = page.locator(".moment:visible .overlay"), page.locator(".moment:visible .toggle")
    seen = lambda: (overlay.evaluate("one => getComputedStyle(one).opacity"), button.get_attribute("aria-pressed"))  # noqa: E731
    assert seen() == ("1", "true")
    assert overlay.locator(".heat").evaluate("image => [image.naturalWidth, image.naturalHeight]") == [4, 3]
    for act in (button.click, lambda: page.keyboard.press("h"), page.locator(".moment:visible .large").click):
        before = seen()
        act()
        assert seen() != before
    page.keyboard.press("j")
    assert seen() == ("0", "false")  # as it was chosen, for all of them


def test_the_filmstrip_shows_the_frames_around(page_file: Path, open_page: OpenPage) -> None:
    page = open_page(page_file)
    large, strip = page.locator(".moment:visible .large"), page.locator(".moment:visible .strip button")
    peak = large.get_attribute("src")
    strip.first.click()
    assert large.get_attribute("src") == strip.first.locator("img").get_attribute("src") != peak
    assert page.locator(".moment:visible .elsewhen").is_visible()
    page.keyboard.press("ArrowRight")
    assert strip.nth(1).get_attribute("aria-pressed") == "true"
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert large.get_attribute("src") == peak


def test_charts_are_drawn_as_they_come_into_view(page_file: Path, open_page: OpenPage) -> None:
    page = open_page(page_file)
    for plot in page.locator(".plot").all():
        plot.scroll_into_view_if_needed()
        page.wait_for_function("plot => plot.dataset.drawn === 'true'", arg=plot.element_handle())
        assert plot.locator("svg.main-svg").count() > 0
    assert page.locator(".plot").count() == 5
    for word in ("flipped", "labelled"):
        assert page.locator("#video-2").get_by_text(word, exact=True).count() == 1


def test_a_number_on_a_timeline_leads_to_its_moment(page_file: Path, open_page: OpenPage) -> None:
    page = open_page(page_file, reduced_motion="reduce")
    page.locator("#video-3").scroll_into_view_if_needed()
    page.wait_for_selector(f"#video-3 {DRAWN}")
    box = page.locator("#video-3 .textpoint").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector("#moment-3.chosen")
    assert chosen(page) == "3"


def test_names_and_titles_are_text(page_file: Path, open_page: OpenPage) -> None:
    page = open_page(page_file)
    assert page.title() == "Tuesday <b> · pixelfast"
    assert page.locator("h1").inner_text() == "Tuesday <b>"
    assert EVIL.replace("/", "|") in page.locator(".list a").nth(2).inner_text()
    assert EVIL not in page_file.read_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window(page_file: Path, open_page: OpenPage, width: int, scheme: str) -> None:
    page = open_page(page_file, width, 844, scheme)
    for part in ("#moments", "#timelines", "#quality"):
        page.locator(part).scroll_into_view_if_needed()
        page.wait_for_timeout(100)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    columns = page.locator(".browser").evaluate("one => getComputedStyle(one).display")
    assert columns == ("block" if width == 390 else "grid")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_enough_in_both_schemes(page_file: Path, open_page: OpenPage, scheme: str) -> None:
    page = open_page(page_file, scheme=scheme)
    found = page.evaluate(
        "names => names.map(name => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim())",
        [*TEXTS, *BEHIND, *LANES, "series"],
    )
    colours = dict(zip([*TEXTS, *BEHIND, *LANES, "series"], map(luminance, found), strict=True))
    low = [(text, behind) for text in TEXTS for behind in BEHIND if ratio(colours[text], colours[behind]) < 4.5]
    low += [(name, "card") for name in (*LANES, "series") if ratio(colours[name], colours["card"]) < 3]
    assert low == []
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, background[4:-1].split(","))) > 380) == (scheme == "light")


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it, of `#rrggbb`."""
    parts = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def ratio(one: float, other: float) -> float:
    """Contrast as WCAG 2 defines it."""
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def test_a_screen_reader_finds_its_way(page_file: Path, open_page: OpenPage) -> None:
    page = open_page(page_file)
    assert page.locator("html").get_attribute("lang") == "en"
    for role in ("banner", "main", "contentinfo", "status"):
        assert page.get_by_role(role).count() == 1, role
    assert page.get_by_role("navigation").count() == 2
    assert [page.get_by_role("heading", level=level).count() for level in (1, 2, 3)] == [1, 3, 1]
    nameless = "all => all.filter(one => !(one.ariaLabel || one.innerText.trim())).length"
    assert page.locator("button, a, [role=img]").evaluate_all(nameless) == 0
    assert page.locator("img:not([alt])").count() == 0
    assert page.locator(".moment:visible .large").get_attribute("alt").startswith("Video cam2, 0:00:00: Moves as")
    assert "1 run above the threshold" in page.locator("#video-2 [role=img]").get_attribute("aria-label")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"


def test_small_targets_are_large_enough_for_a_finger(page_file: Path, open_page: OpenPage) -> None:
    page = open_page(page_file, 390, 844)
    boxes = [one.bounding_box() for one in page.locator(".list a, .strip button:visible, .toggle:visible").all()]
    assert min(min(box["width"], box["height"]) for box in boxes) >= 24


def test_without_scripts_all_moments_stand_there(page_file: Path, open_page: OpenPage) -> None:
    page = open_page(page_file, java_script_enabled=False)
    assert page.locator(".moment:visible").count() == 3


def write_large(folder: Path, videos: int, frames: int, spikes: int) -> Path:
    """A page of many frames; all have timelines, the first ten have files."""
    names = [f"cam{at:03d}" for at in range(videos)]
    rng = np.random.default_rng(0)
    raw = rng.gamma(2, 0.5, videos * frames).astype(np.float32).clip(0, 4.9)
    raw[3 * rng.choice(len(raw) // 3, spikes, replace=False)] = 6 + rng.random(spikes)
    scores = scores_of(names, frames, {}, raw=raw, noisy=rng.random(len(raw)) < 0.02)
    source = write_footage(folder / "new", names[:10], min(frames, 572))
    return pixelfast.report(scores, source, folder / "report.html")


def test_21_videos_and_12000_frames_open_in_seconds(tmp_path: Path, open_page: OpenPage) -> None:
    file, times = write_large(tmp_path, 21, 572, 40), []
    for _ in range(3):
        begun = time.monotonic()
        page = open_page(file)
        page.wait_for_selector(".moment.chosen .facts")
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        times.append(time.monotonic() - begun)
    assert min(times) < 6, times  # under 1 on an idle machine of two cores
    page.locator("#timelines").scroll_into_view_if_needed()
    page.wait_for_selector(DRAWN, timeout=10_000)
    assert page.locator(".timeline").count() == 21


def test_300000_frames_still_open_and_few_charts_are_alive(tmp_path: Path, open_page: OpenPage) -> None:
    file = write_large(tmp_path, 150, 2000, 400)
    assert file.stat().st_size < 15e6
    page = open_page(file, reduced_motion="reduce")
    assert chosen(page) == "1"
    assert "400 moments lie above the threshold; the 50 highest are listed." in page.locator(".lead").inner_text()
    for video in (1, 75, 150):
        page.locator(f"#video-{video}").scroll_into_view_if_needed()
        page.wait_for_selector(f"#video-{video} {DRAWN}", timeout=20_000)
    assert page.locator(DRAWN).count() < 20
