"""Takes the pictures of README from a page that `pixelfast demo` wrote: `make screenshots`, or by hand with its path.

Needs Debian's Chromium (apt-get install chromium) and Playwright (pip install '.[dev]').
"""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
WINDOWS = {"report.png": (1280, 800), "report-phone.png": (390, 844)}


def take(page_file: Path) -> None:
    """Writes a picture for each of `WINDOWS`, in light colours, of the first moment."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("there is no Chromium here: apt-get install chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, (width, height) in WINDOWS.items():
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme="light")
            page.goto(page_file.resolve().as_uri())
            page.wait_for_selector(".moment.chosen")
            page.wait_for_timeout(500)
            picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            palette = picture.quantize(256, kmeans=3)
            picture.quantize(palette=palette).save(HERE / name, optimize=True)  # half of the size
            print(HERE / name)
        browser.close()


if __name__ == "__main__":
    take(Path(sys.argv[1]))
