"""One file over https: of limited size, whole, and from https addresses only, also after redirects."""

import http.client
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO, Optional
from urllib.parse import urlsplit

from paddle_pose.errors import UserError
from paddle_pose.version import VERSION

MAX_BYTES = 1_000_000_000  # the largest file in the index has 575 million
TIMEOUT_S = 30.0  # without a byte
_BLOCK = 1 << 18


class DownloadError(UserError):
    """The network does not give the file; the message says why, not what to do."""


def secure_opener() -> urllib.request.OpenerDirector:
    """Opens https addresses and nothing else: no file of this machine, no http, no ftp. Proxies as set by the user."""
    return opener_of(urllib.request.HTTPSHandler(context=ssl.create_default_context()))


def opener_of(*handlers: urllib.request.BaseHandler) -> urllib.request.OpenerDirector:
    """An opener of what these handlers open. Redirects lead to https only."""
    opener = urllib.request.OpenerDirector()
    opener.addheaders = [("User-Agent", f"paddle_pose/{VERSION}")]
    others = (urllib.request.ProxyHandler, urllib.request.UnknownHandler, urllib.request.HTTPDefaultErrorHandler)
    for handler in (*handlers, *(kind() for kind in others), _Redirects(), urllib.request.HTTPErrorProcessor()):
        opener.add_handler(handler)
    return opener


class _Redirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, request, answer, code, message, headers, address):  # noqa: D102 (of the standard library)
        if urlsplit(address).scheme != "https":
            raise DownloadError(f"it leads to {address}, which is not https")
        return super().redirect_request(request, answer, code, message, headers, address)


def download(
    url: str, target: Path, opener: Optional[urllib.request.OpenerDirector] = None, limit: int = MAX_BYTES
) -> None:
    """Writes what an address holds to `target`, with a bar in a terminal.

    Args:
        url: https, unless `opener` opens others.
        target: a path to write to; half a file stays there after an error.
        opener: `secure_opener()` by default.
        limit: bytes beyond which it is refused.

    Raises:
        DownloadError: it cannot be reached, is not there, is too large, or ends too early.
        OSError: `target` cannot be written.
    """
    try:
        answer = (opener or secure_opener()).open(url, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        error.close()
        raise DownloadError(f"the server says {error.code} {error.reason}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DownloadError(_reason(error)) from None
    with answer, open(target, "wb") as file:
        length = _length(answer)
        if length is not None and length > limit:
            raise DownloadError(f"it has {length} bytes, more than the {limit} that are taken")
        written = _copy(answer, file, length, limit)
    if length is not None and written != length:
        raise DownloadError(f"it broke off after {written} of {length} bytes")


def _copy(answer: http.client.HTTPResponse, file: IO[bytes], length: Optional[int], limit: int) -> int:
    """Copies until the end; returns how many bytes."""
    from tqdm import tqdm

    written = 0
    with tqdm(total=length, unit="B", unit_scale=True, disable=None) as bar:  # in a terminal only
        while block := _read(answer):
            written += len(block)
            if written > limit:
                raise DownloadError(f"it has more than the {limit} bytes that are taken")
            file.write(block)
            bar.update(len(block))
    return written


def _read(answer: http.client.HTTPResponse) -> bytes:
    try:
        return answer.read(_BLOCK)
    except (OSError, http.client.HTTPException) as error:
        raise DownloadError(_reason(error)) from None


def _length(answer: http.client.HTTPResponse) -> Optional[int]:
    text = answer.headers.get("Content-Length", "")
    return int(text) if text.isdecimal() else None


def _reason(error: Exception) -> str:
    inner = getattr(error, "reason", error)
    return " ".join(str(getattr(inner, "strerror", None) or inner).split()) or type(error).__name__
