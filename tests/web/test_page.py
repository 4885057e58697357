"""The page served by Gradio itself, asked over HTTP as a browser and as somebody with bad intentions would."""

import json
import os
import threading
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.web.cases import GPS, JOINTS_IMAGE, Finding, jpeg, keypoints, models_of, picture, png_that_says

pytest.importorskip("gradio", reason="the demo's extra is not installed: pip install -e '.[demo]'")

from paddle_pose.web.limits import Limits  # noqa: E402
from paddle_pose.web.server import guarded_page  # noqa: E402

LIMITS = Limits(upload_bytes=200_000, pixels=50_000)


class Slow(Finding):
    """Counts how many photos it is given at once; answers none while `goes_on` is not set."""

    at_once = most_at_once = 0
    lock, goes_on = threading.Lock(), threading.Event()

    def __call__(self, photo):
        with self.lock:
            Slow.at_once += 1
            Slow.most_at_once = max(Slow.most_at_once, Slow.at_once)
        time.sleep(0.3)
        self.goes_on.wait(60)
        with self.lock:
            Slow.at_once -= 1
        return super().__call__(photo)


def broken(photo):
    raise RuntimeError("/secret/weights.pdparams is broken\nTraceback")


def the_line(message) -> str:
    """What a visitor sees of an error; Gradio 4 puts quotation marks around it."""
    return message["output"]["error"].strip("'")


class Page:
    """A served page, asked over HTTP."""

    def __init__(self, page) -> None:
        self.url, self.folder = page.local_url.rstrip("/"), Path(os.environ["GRADIO_TEMP_DIR"])
        config = json.loads(self.ask("/config")[1])
        self.config, self.api = config, config.get("api_prefix", "")
        self.run_index = max(event["id"] for event in config["dependencies"])

    def ask(self, path, body=None, headers=None, timeout=60):
        """Status and bytes of an answer."""
        request = urllib.request.Request(self.url + path, data=body, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def upload(self, content, name="photo.jpg"):
        boundary = uuid.uuid4().hex
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return self.ask(f"{self.api}/upload", body, kind)

    def uploaded(self, content, name="photo.jpg"):
        status, text = self.upload(content, name)
        assert status == 200, text
        return json.loads(text)[0]

    def join(self, data, session="s"):
        body = {"data": data, "fn_index": self.run_index, "session_hash": session, "event_data": None}
        return self.ask(f"{self.api}/queue/join", json.dumps(body).encode(), {"Content-Type": "application/json"})

    def result(self, data):
        """The last message about an event: `success`, and `output`."""
        session = uuid.uuid4().hex
        status, text = self.join(data, session)
        assert status == 200, text
        with urllib.request.urlopen(f"{self.url}{self.api}/queue/data?session_hash={session}", timeout=60) as lines:
            for line in lines:
                message = json.loads(line[6:]) if line.startswith(b"data: ") else {}
                if message.get("msg") == "process_completed":
                    return message
        raise AssertionError("the event did not end")

    def find(self, content, network="one", name="photo.jpg", **changed):
        file = {"path": self.uploaded(content, name), "meta": {"_type": "gradio.FileData"}, **changed}
        return self.result([file, network, "limb", 0.3])

    def said(self, *arguments, **named):
        """The line that a visitor sees of an error."""
        message = self.find(*arguments, **named)
        assert message["success"] is False
        line = the_line(message)
        assert "\n" not in line
        assert "/" not in line
        assert "Traceback" not in json.dumps(message)
        assert str(self.folder) not in json.dumps(message)
        return line

    def files(self):
        return [path for path in self.folder.rglob("*") if path.is_file()]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    place = tmp_path_factory.mktemp("demo")
    models = models_of(place, one=Finding(fields=True), slow=Slow(), plain=Finding(maps=False), broken=broken)
    blocks, arguments = guarded_page(models, LIMITS)
    blocks.launch(**arguments, prevent_thread_lock=True)
    yield Page(blocks)
    blocks.close(verbose=False)


def test_it_listens_on_this_machine_only_and_tells_nobody(page):
    assert page.url.startswith("http://127.0.0.1:")
    assert page.config["analytics_enabled"] is False
    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"
    assert not page.config.get("is_space")
    assert page.config["dependencies"]
    assert json.loads(page.ask(f"{page.api}/info")[1]) == {"named_endpoints": {}, "unnamed_endpoints": {}}


def test_a_photo_is_answered(page):
    message = page.find(jpeg(picture()))
    assert message["success"], message
    summary, pose, heatmaps, fields, coco, openpose, coco_file, openpose_file = message["output"]["data"]
    assert summary.startswith("One person in 120 x 100 pixels")
    for image in (pose, heatmaps, fields):
        status, content = page.ask(f"{page.api}/file={image['path']}")
        assert status == 200
        assert cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR).shape == (100, 120, 3)
    for text, update, name in (
        (coco, coco_file, "coco_results.json"),
        (openpose, openpose_file, "photo_keypoints.json"),
    ):
        status, content = page.ask(f"{page.api}/file={update['value']['path']}")
        assert status == 200
        assert json.loads(content) == json.loads(text)
        assert update["value"]["path"].endswith(name)
    np.testing.assert_allclose(keypoints(coco)[0, :, :2], JOINTS_IMAGE, atol=5e-4)


def test_no_place_comes_back(page):
    message = page.find(jpeg(picture()))
    answered = [path for path in page.files() if path.name != "photo.jpg"]
    assert len(answered) >= 5
    assert not [path for path in answered if GPS in path.read_bytes()]
    assert GPS.decode() not in json.dumps(message)


def test_a_network_without_maps_shows_the_pose_only(page):
    data = page.find(jpeg(picture()), "plain")["output"]["data"]
    assert data[1]["path"]
    assert data[2:4] == [None, None]


def test_nothing_is_sent_yet(page):
    message = page.result([None, "one", "limb", 0.3])
    assert the_line(message) == "there is no photo yet; drop one, or take the example"


def test_errors_are_one_line_without_a_path(page):
    assert page.said(png_that_says(251, 200), name="a.png").startswith("the photo has 251 x 200 pixels")
    assert page.said(png_that_says(40_000, 40_000), name="a.png").startswith("photo upload has 40000 x 40000 pixels")
    assert "is not a picture" in page.said(b"<svg onload='alert(1)'/>", name="a.svg")
    assert "is not a picture" in page.said(b"text")
    assert "cut off" in page.said(jpeg(picture())[:-30])
    assert page.said(jpeg(picture()), "broken") == (
        "The server could not compute this; its log says why. Try another photo or network."
    )


def test_a_network_that_is_not_offered(page):
    message = page.find(jpeg(picture()), "../../etc/passwd")
    assert message["success"] is False
    assert "root:" not in json.dumps(message)


def test_a_file_that_is_too_large_is_not_kept(page):
    before = set(page.files())
    for size in (
        LIMITS.upload_bytes + 1,
        LIMITS.upload_bytes + 100_000,
    ):  # Gradio counts the first, the guard the second
        status, text = page.upload(bytes(size))
        assert status == 413, text
        assert b"/" not in text
    assert set(page.files()) == before


def test_a_name_that_leads_elsewhere(page):
    for name in ("../../../evil.jpg", "/etc/cron.d/evil", "..\\evil.jpg"):
        path = Path(page.uploaded(jpeg(picture()), name))
        assert path.resolve().is_relative_to(page.folder.resolve())
        assert path.resolve().parent.parent == page.folder.resolve()


@pytest.mark.parametrize(
    "path",
    [
        *("/file=/etc/passwd", "/file=../../../etc/passwd", "/file=%2Fetc%2Fpasswd", "/file=%252Fetc%252Fpasswd"),
        *(
            "/file/etc/passwd",
            "/file=file:///etc/passwd",
            "/file=http://127.0.0.1:{port}/config",
            "/proxy=http://127.0.0.1:{port}/config",
        ),
        *("/stream/a/b/c/playlist-file", "/custom_component/1/client/component/..%2f..%2fetc%2fpasswd", "/run/predict"),
        *(
            "/component_server",
            "/process_recording",
            "/deep_link",
            "/vibe-code",
            "/monitoring",
            "/docs",
            "/openapi.json",
        ),
        *("/static/..%2f..%2f..%2f..%2fetc%2fpasswd", "/assets/..%2f..%2f__init__.py", "/file=" + __file__),
    ],
)
def test_no_file_of_the_server_and_no_address_behind_it(page, path):
    path = path.format(port=page.url.rsplit(":", 1)[1])
    for prefix in {"", page.api}:
        for body in (None, b"{}"):
            status, text = page.ask(prefix + path, body)
            assert status in (403, 404), text
            assert b"root:" not in text
            assert b"dependencies" not in text


@pytest.mark.parametrize(
    "file",
    [
        {"path": "/etc/passwd"},
        {"path": __file__},
        {"path": "http://127.0.0.1:{port}/static/img/logo.svg"},
        {"path": "https://example.org/a.jpg", "url": "https://example.org/a.jpg"},
        {"path": "{upload}", "url": "data:image/png;base64,iVBORw0KGgo="},
        {"path": "{upload}", "url": "http://127.0.0.1:{port}/config"},
        {"path": "{upload}/../../../../etc/passwd"},
    ],
)
def test_a_path_or_an_address_in_place_of_an_upload(page, file):
    words = {"port": page.url.rsplit(":", 1)[1], "upload": page.uploaded(jpeg(picture()))}
    file = {key: value.format(**words) for key, value in file.items()}
    before = set(page.files())
    for with_meta in ({}, {"meta": {"_type": "gradio.FileData"}}):
        assert page.join([{**file, **with_meta}, "one", "limb", 0.3]) == (400, b"a photo is sent as an upload")
    assert set(page.files()) == before


def test_one_photo_at_a_time(page):
    with_photo = [{"path": page.uploaded(jpeg(picture())), "meta": {"_type": "gradio.FileData"}}, "slow", "limb", 0.3]
    Slow.goes_on.set()
    threads = [threading.Thread(target=page.result, args=(with_photo,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Slow.most_at_once == 1


def test_a_photo_that_has_been_deleted(page):
    file = {"path": page.uploaded(jpeg(picture(91, 90)))}
    os.unlink(file["path"])
    assert page.join([file, "one", "limb", 0.3])[0] == 400


@pytest.mark.parametrize(("colors", "threshold"), [("all", 0.3), ("limb", "0.3"), (["limb"], 0.3), ("limb", None)])
def test_options_that_the_page_does_not_have(page, colors, threshold):
    file = {"path": page.uploaded(jpeg(picture())), "meta": {"_type": "gradio.FileData"}}
    message = page.result([file, "one", colors, threshold])
    assert the_line(message) == "this is no way to draw people; load the page again"


def test_the_queue_is_bounded(page):
    with_photo = [{"path": page.uploaded(jpeg(picture())), "meta": {"_type": "gradio.FileData"}}, "slow", "limb", 0.3]
    Slow.goes_on.clear()
    answers = [page.join(with_photo, f"queue {n}")[0] for n in range(24)]
    Slow.goes_on.set()
    assert set(answers) == {200, 503}
    assert 16 <= answers.count(200) <= 18  # 16 wait, one or two were taken out before
