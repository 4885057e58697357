"""What a visitor may ask of the server, decided before Gradio sees the request.

Gradio serves more than this page needs: other addresses fetched for the visitor (`proxy=`, `file=http://...`), files by
their path, an API in which a path or an address may stand instead of an upload, its own editor. Here is a list of what
is let through; all else is refused. So no release of Gradio opens a door that this page has not asked for.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional
from urllib.parse import unquote

from paddle_pose.web.limits import Limits, too_large
from paddle_pose.web.uploads import folder_bytes, lies_inside

JSON_BYTES = 64 * 1024  # of what is not an upload
FULL = 30  # the folder of uploads holds so many of the largest; then visitors wait until old ones are deleted
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (  # the page and all it shows come from here: nothing is fetched from elsewhere, nothing told to others
        b"content-security-policy",
        b"default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; object-src 'none'; base-uri 'self'",
    ),
]
_API = r"(?:/gradio_api)?"
_FILE = re.compile(_API + r"/file=(.*)", re.DOTALL)
_READ = re.compile(
    r"/|/config/?|/theme\.css|/favicon\.ico|/manifest\.json|/robots\.txt|/pwa_icon(/\w+)?"
    r"|/(assets|static|svelte)/[\w./@%+~-]+"
    rf"|{_API}/(info|theme\.css|app_id|startup-events|queue/data|upload_progress|heartbeat/\w+)/?"
)
_UPLOAD = re.compile(_API + "/upload/?")
_JSON = re.compile(_API + "/(queue/join|cancel|reset)/?")


class Refused(Exception):
    """A request that is not let through: an HTTP status and a line for the visitor."""

    def __init__(self, status: int, line: str) -> None:
        super().__init__(line)
        self.status, self.line = status, line


class Guard:
    """ASGI middleware around Gradio's application.

    Args:
        app: what it guards.
        folder: of uploads and results, the only one from which files are given out.
        limits: of uploads.
    """

    def __init__(self, app, folder: Path, limits: Limits) -> None:
        self._app, self._folder, self._limits = app, folder, limits

    async def __call__(self, scope, receive, send) -> None:
        """Lets a request through, or answers it with one line."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        try:
            if scope["type"] != "http":
                raise Refused(403, "not here")
            receive = await self._checked(scope, receive)
        except Refused as refusal:
            await _refuse(refusal, scope, send)
            return
        await self._app(scope, receive, _with_headers(send))

    async def _checked(self, scope, receive):
        """What is left to be received; Refused if the request is not let through."""
        path = _path(scope)
        if scope["method"] in ("GET", "HEAD"):
            self._check_read(path)
            return receive
        if scope["method"] == "POST" and _UPLOAD.fullmatch(path):
            self._check_upload(scope)
            return receive
        if scope["method"] == "POST" and _JSON.fullmatch(path):
            if _length(scope) > JSON_BYTES:
                raise Refused(413, "the request is too long")
            body = await _body(receive)
            self._check_body(body)
            return _replayed(body, receive)
        raise Refused(404, "there is nothing here")

    def _check_read(self, path: str) -> None:
        file = _FILE.fullmatch(path)
        if file:
            if not lies_inside(file.group(1), self._folder):
                raise Refused(403, "this file is not given out")
        elif not _READ.fullmatch(path) or ".." in path.split("/"):
            raise Refused(404, "there is nothing here")

    def _check_upload(self, scope) -> None:
        if _length(scope) > self._limits.upload_bytes + JSON_BYTES:  # what a form puts around the file is small
            raise Refused(413, too_large(self._limits))
        if folder_bytes(self._folder) > FULL * self._limits.upload_bytes:
            raise Refused(503, "too many photos were sent in the last minutes; try again later")

    def _check_body(self, body: bytes) -> None:
        """A file may only be one that was uploaded: no other path, no address, no content in an address."""
        try:
            content = json.loads(body or b"null")
        except (ValueError, RecursionError):
            raise Refused(400, "the request is not JSON") from None
        if not all(map(self._was_uploaded, _dicts(content))):
            raise Refused(400, "a photo is sent as an upload")

    def _was_uploaded(self, file: dict) -> bool:
        """Whether a dict, if it stands for a file, names one of the folder and nothing else."""
        path, url = file.get("path"), file.get("url")
        if path is None and url is None:
            return not file.get("is_stream")
        own_url = url is None or (isinstance(url, str) and unquote(url).endswith(f"/file={path}"))
        return isinstance(path, str) and lies_inside(path, self._folder) and own_url and not file.get("is_stream")


def _path(scope) -> str:
    """The path of a request without the prefix under which a proxy shows this server."""
    path, root = scope["path"], scope.get("root_path", "").rstrip("/")
    return path[len(root) :] if root and path.startswith(root + "/") else path


def _length(scope) -> int:
    """What a request says of its length, to which the server holds it; Refused where it says nothing."""
    text: Optional[bytes] = dict(scope["headers"]).get(b"content-length")
    if text is None or not text.isdigit():
        raise Refused(411, "the request does not say how long it is")
    return int(text)


async def _body(receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Refused(400, "the request was cut off")
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _replayed(body: bytes, receive):
    """`receive` of a request whose body has been read already."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def again():
        return waiting.pop() if waiting else await receive()

    return again


def _with_headers(send):
    async def sending(message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *HEADERS]}
        await send(message)

    return sending


async def _refuse(refusal: Refused, scope, send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    line = refusal.line.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(line)).encode())]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers + HEADERS})
    await send({"type": "http.response.body", "body": line})


def _dicts(content: Any) -> Iterator[dict]:
    """All dicts of a JSON value, at any depth."""
    waiting = [content]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
