"""What is let through to Gradio and what is not; an application that says yes to everything stands for Gradio."""

import asyncio
import json
import os

import pytest

from paddle_pose.web.guard import FULL, JSON_BYTES, Guard
from paddle_pose.web.limits import Limits

LIMITS = Limits(upload_bytes=1000)
PREFIXES = ["", "/gradio_api"]


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "uploads"
    folder.mkdir()
    (folder / "photo.jpg").write_bytes(b"a photo")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


async def yes(scope, receive, send):
    body, more = b"", True
    while more and scope["method"] == "POST":
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"yes " + body})


def ask(folder, path, method="GET", body=b"", root_path="", headers=None, kind="http"):
    """Status and text of an answer."""
    sent, parts = [], [body[:10], body[10:]]

    async def receive():
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message):
        sent.append(message)

    headers = [(b"content-length", str(len(body)).encode())] if headers is None else headers
    scope = {"type": kind, "method": method, "path": path, "root_path": root_path, "headers": headers}
    loop = asyncio.new_event_loop()  # asyncio.run would take that of the thread away, which Gradio 4 looks for
    loop.run_until_complete(Guard(yes, folder, LIMITS)(scope, receive, send))
    loop.close()
    if kind == "websocket":
        return sent[0]["type"], ""
    assert (b"x-content-type-options", b"nosniff") in sent[0]["headers"]
    return sent[0]["status"], sent[1]["body"].decode()


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/config", "/theme.css", "/assets/index-Df_1.js", "/static/fonts/ui-sans-serif/a.woff2", "/favicon.ico"),
        *("/gradio_api/queue/data", "/queue/data", "/gradio_api/heartbeat/ab12", "/gradio_api/startup-events", "/info"),
    ],
)
def test_what_the_page_reads(folder, path):
    assert ask(folder, path) == (200, "yes ")
    assert ask(folder, path, "HEAD")[0] == 200
    assert ask(folder, path, "DELETE")[0] == 404


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(
    "path",
    [
        *(
            "/proxy=http://127.0.0.1:22/",
            "/proxy=https://hf.space/x",
            "/file/etc/passwd",
            "/stream/a/b/c/playlist-file",
        ),
        *(
            "/run/predict",
            "/api/predict",
            "/call/predict",
            "/call/predict/1",
            "/component_server",
            "/deep_link",
            "/token",
        ),
        *("/custom_component/1/client/component/x.js", "/process_recording", "/vibe-edit", "/vibe-code", "/runs"),
        *("/docs", "/openapi.json", "/monitoring", "/mcp/sse", "/dev/reload", "/login", "/upload/../file=x", "//etc"),
        *(
            "/assets/../../x",
            "/static/../secret",
            "/static/..\\x",
            "/assets/a\0b",
            "/config/../x",
            "/run-history/buckets",
        ),
    ],
)
def test_what_the_page_does_not_need(folder, prefix, path):
    for method in ("GET", "POST", "PUT", "OPTIONS"):
        status, text = ask(folder, prefix + path, method)
        assert status == 404
        assert text == "there is nothing here"


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_file_of_the_folder_is_given_out_and_no_other(folder, prefix):
    def status(path):
        return ask(folder, f"{prefix}/file={path}")[0]

    assert status(folder / "photo.jpg") == 200
    os.symlink(folder.parent / "secret.txt", folder / "link.txt")
    outside = ["/etc/passwd", "../secret.txt", "secret.txt", f"{folder}/../secret.txt", f"{folder}/link.txt", "", "/"]
    outside += [f"{folder}", f"{folder}/nothing.jpg", f"{folder.parent}/uploads_2/x", f"{folder}/\0", "~/.bashrc"]
    outside += ["http://127.0.0.1:22/", "https://localhost/x.png", "file:///etc/passwd", "data:text/plain,x"]
    assert {path: status(path) for path in outside} == dict.fromkeys(outside, 403)


def join(folder, data):
    return ask(folder, "/gradio_api/queue/join", "POST", json.dumps({"data": data, "fn_index": 1}).encode())


def test_an_upload_reaches_the_network_unchanged(folder):
    path = f"{folder}/photo.jpg"
    url = f"http://127.0.0.1:7860/gradio_api/file={path}"
    data = [{"path": path, "url": url, "orig_name": "x.jpg", "meta": {"_type": "gradio.FileData"}}, "limb", 0.3]
    assert join(folder, data) == (200, "yes " + json.dumps({"data": data, "fn_index": 1}))
    assert join(folder, [{"path": path, "url": None}, None])[0] == 200
    assert join(folder, [{"path": path, "url": url.replace("uploads", "%75ploads")}])[0] == 200


@pytest.mark.parametrize(
    "file",
    [
        {"path": "/etc/passwd"},
        {"path": "../secret.txt"},
        {"path": "http://127.0.0.1:22/"},
        {"path": "https://example.org/a.jpg", "url": "https://example.org/a.jpg"},
        {"path": "IN", "url": "data:image/png;base64,AAAA"},
        {"path": "IN", "url": "http://127.0.0.1:22/"},
        {"path": "IN", "url": "http://169.254.169.254/file=/etc/passwd"},
        {"path": "IN", "is_stream": True},
        {"path": "IN/../../secret.txt"},
        {"path": ["IN"]},
        {"path": {"path": "IN"}},
        {"url": "data:image/png;base64,AAAA"},
        {"url": "http://127.0.0.1:22/", "path": None},
        {"is_stream": True},
    ],
)
@pytest.mark.parametrize("wrap", [lambda f: f, lambda f: [f], lambda f: {"value": [{"image": f}]}])
def test_a_path_or_an_address_in_place_of_an_upload(folder, file, wrap):
    inside = f"{folder}/photo.jpg"
    file = json.loads(json.dumps(file).replace("IN", inside))
    assert join(folder, [wrap(file)]) == (400, "a photo is sent as an upload")


def test_what_is_no_json_or_too_long(folder):
    assert ask(folder, "/queue/join", "POST", b"{")[0] == 400
    assert ask(folder, "/queue/join", "POST", b"[" * 50_000)[0] == 400
    assert ask(folder, "/queue/join", "POST", b" " * (JSON_BYTES + 1))[0] == 413
    assert ask(folder, "/queue/join", "POST", b"{}", headers=[])[0] == 411
    assert ask(folder, "/queue/join", "POST", b"{}", headers=[(b"content-length", b"-1")])[0] == 411


def test_an_upload_is_refused_by_what_it_says_of_its_length(folder):
    length = LIMITS.upload_bytes + JSON_BYTES
    assert ask(folder, "/gradio_api/upload", "POST", headers=[(b"content-length", str(length).encode())])[0] == 200
    status, text = ask(folder, "/upload", "POST", headers=[(b"content-length", str(length + 1).encode())])
    assert status == 413
    assert text == "the file is over the 0.001 MB that are taken here; send a smaller one"
    assert ask(folder, "/upload", "POST", headers=[(b"transfer-encoding", b"chunked")])[0] == 411


def test_a_full_folder_takes_no_upload(folder):
    (folder / "more").mkdir()
    (folder / "more" / "photo").write_bytes(bytes(FULL * LIMITS.upload_bytes - len(b"a photo")))
    assert ask(folder, "/upload", "POST")[0] == 200
    (folder / "one").write_bytes(b"1")
    assert ask(folder, "/upload", "POST")[0] == 503
    assert ask(folder, "/")[0] == 200


def test_behind_a_proxy_that_shows_the_page_under_a_prefix(folder):
    assert ask(folder, "/user/1/gradio/7860/config", root_path="/user/1/gradio/7860")[0] == 200
    assert ask(folder, "/user/1/gradio/7860/file=/etc/passwd", root_path="/user/1/gradio/7860")[0] == 403
    assert ask(folder, "/user/1/config", root_path="/us")[0] == 404


def test_other_connections(folder):
    assert ask(folder, "/", kind="websocket") == ("websocket.close", "")
