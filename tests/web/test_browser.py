"""The demo as a visitor meets it: the command is started, a real Chromium opens the page and presses its buttons."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from paddle_pose import zoo

pytest.importorskip("gradio", reason="the demo's extra is not installed: pip install -e '.[demo]'")
webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install selenium")

from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None, reason="no Chromium: apt-get install chromium chromium-driver"
)
ROOT = Path(__file__).parents[2]
PATIENCE_S = 300  # of a very busy machine; all of it takes half a minute of one core


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Address of a running demo, its process, and where it puts its temporary folder."""
    place = tmp_path_factory.mktemp("demo")
    log = place / "log"
    command = [sys.executable, "-m", "paddle_pose.demo", "--upload_megabytes", "0.3", "--device", "cpu"]
    environment = {**os.environ, "TMPDIR": str(place)}
    with open(log, "w") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output, env=environment)
    try:
        ends = time.monotonic() + PATIENCE_S
        while not (found := re.search("=> (http://127.0.0.1:[0-9]+)", log.read_text())):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < ends, log.read_text()
            time.sleep(0.1)
        yield found.group(1), process, place
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,1150"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(DRIVER))
    browser.set_page_load_timeout(PATIENCE_S)
    yield browser
    browser.quit()


@pytest.fixture
def page(server, browser):
    """The page, freshly loaded; afterwards it is looked at whether all came from this server, without an error."""
    browser.get(server[0])
    wait(browser, lambda: browser.find_elements(By.CSS_SELECTOR, "#photo input[type=file]"))
    yield browser
    errors = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    # What is too large is refused: the browser and Gradio's script say so on the console.
    assert [error for error in errors if not re.search("/gradio_api/upload| Response$", error)] == []
    asked = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [m["params"]["request"]["url"] for m in asked if m["method"] == "Network.requestWillBeSent"]
    assert len(urls) > 5
    assert [url for url in urls if not url.startswith((server[0], "data:", "blob:"))] == []


def wait(browser, condition):
    return WebDriverWait(browser, PATIENCE_S, poll_frequency=0.1).until(lambda _: condition())


def press(browser, selector: str) -> None:
    wait(browser, lambda: browser.find_element(By.CSS_SELECTOR, selector).is_enabled())
    browser.find_element(By.CSS_SELECTOR, selector).click()


def send(browser, path) -> None:
    browser.find_element(By.CSS_SELECTOR, "#photo input[type=file]").send_keys(str(path))


def loaded(browser, selector: str) -> bool:
    """Whether a picture has come, and is one."""
    script = "const i = document.querySelector(arguments[0]); return i && i.complete && i.naturalWidth"
    return browser.execute_script(script, selector)


def choose_tab(browser, name: str) -> None:
    tabs = browser.find_elements(By.CSS_SELECTOR, "button[role=tab]")
    next(tab for tab in tabs if tab.text.strip() == name and tab.is_displayed()).click()


def toast(browser) -> str:
    """What a message on the page says, when it has faded in."""
    return wait(
        browser, lambda: " ".join(found.text for found in browser.find_elements(By.CSS_SELECTOR, ".toast-body"))
    )


def test_a_photo_is_sent_and_answered(page, tmp_path):
    assert page.title == "paddle_pose: human pose in a photo"
    assert "trained on rendered people only" in page.find_element(By.CSS_SELECTOR, "#introduction").text
    send(page, zoo.default_photo())
    wait(page, lambda: loaded(page, "#photo img"))
    assert not loaded(page, "#pose img")
    press(page, "#run")
    wait(page, lambda: loaded(page, "#pose img"))
    width, height = (loaded(page, "#pose img"), page.find_element(By.CSS_SELECTOR, "#summary").text)
    assert height.startswith(f"One person in {width} x ")
    assert page.save_screenshot(str(tmp_path / "page.png"))
    choose_tab(page, "Heatmaps")
    wait(page, lambda: loaded(page, "#heatmaps img") == width)
    choose_tab(page, "JSON")
    wait(page, lambda: "keypoints" in page.find_element(By.CSS_SELECTOR, "#coco").text)
    link = wait(page, lambda: page.find_element(By.CSS_SELECTOR, "#coco_file").get_attribute("href") or "coco_file")
    assert "etc" not in link


def test_the_example(page):
    press(page, "#example")
    wait(page, lambda: loaded(page, "#photo img"))
    press(page, "#run")
    wait(page, lambda: loaded(page, "#pose img"))


def test_a_file_that_is_too_large_or_no_photo(page, tmp_path):
    (tmp_path / "large.jpg").write_bytes(b"\xff\xd8" + bytes(400_000))
    send(page, tmp_path / "large.jpg")
    said = toast(page)
    assert "maximum allowed size" in said
    assert len(said.splitlines()) <= 3  # `Error`, a cross to close it, and the line
    assert str(tmp_path) not in said
    page.refresh()
    wait(page, lambda: page.find_elements(By.CSS_SELECTOR, "#photo input[type=file]"))
    (tmp_path / "text.jpg").write_bytes(b"no photo")
    send(page, tmp_path / "text.jpg")
    time.sleep(2)
    press(page, "#run")
    assert "upload is not a picture; photos are read from JPEG, PNG" in toast(page)
    assert not loaded(page, "#pose img")


def test_it_ends_in_order(server):
    """Last: when it is told to stop, the folder of uploads is deleted."""
    _, process, place = server
    assert len(list(place.glob("paddle_pose_demo_*"))) == 1
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_S) == 0
    assert list(place.glob("paddle_pose_demo_*")) == []
