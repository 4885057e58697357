"""download(): https only, also behind redirects; whole, of limited size; its errors are one line each."""

import pytest
from zoo_cases import Server, plain_opener, redirect, send

from paddle_pose.zoo import download as module
from paddle_pose.zoo.download import DownloadError, download

CONTENT = bytes(range(256)) * 4000  # 1,024,000 bytes: several blocks
LIMIT = 2_000_000


@pytest.fixture(scope="module")
def server():
    answers = {
        "/whole": lambda request: send(request, CONTENT),
        "/unsaid": lambda request: send(request, CONTENT, length=-1),
        "/short": lambda request: send(request, CONTENT[:1000], length=len(CONTENT)),
        "/large": lambda request: send(request, b"", length=LIMIT + 1),
        "/endless": lambda request: send(request, bytes(LIMIT + 1), length=-1),
        "/missing": lambda request: send(request, b"no", code=404),
        "/broken": lambda request: request.wfile.write(b"this is no http\r\n\r\n"),
        "/round": lambda request: redirect(request, "/round"),
        "/to_file": lambda request: redirect(request, "file:///etc/passwd"),
        "/to_ftp": lambda request: redirect(request, "ftp://example.org/x"),
        "/to_http": lambda request: redirect(request, "http://example.org/x"),
    }
    server = Server(answers)
    yield server
    server.close()


@pytest.mark.parametrize("path", ["/whole", "/unsaid"])
def test_what_is_there_is_written(server, path, tmp_path):
    download(server.url(path), tmp_path / "x", plain_opener(), LIMIT)
    assert (tmp_path / "x").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/short", "broke off after 1000 of 1024000 bytes"),
        ("/large", "has 2000001 bytes, more than the 2000000"),
        ("/endless", "more than the 2000000 bytes"),
        ("/missing", "the server says 404"),
        ("/broken", "no http"),
        ("/to_file", "'file:///etc/passwd' is not allowed"),
        ("/to_ftp", "ftp://example.org/x, which is not https"),
        ("/to_http", "http://example.org/x, which is not https"),
        ("/round", "not https"),
    ],
)
def test_what_cannot_be_had_is_said(server, path, words, tmp_path):
    with pytest.raises(DownloadError, match=words) as error:
        download(server.url(path), tmp_path / "x", plain_opener(), LIMIT)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x", "file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x"])
def test_by_default_only_https_is_opened(url, tmp_path):
    with pytest.raises(DownloadError, match="unknown url type"):
        download(url, tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_nobody_there(tmp_path):
    with pytest.raises(DownloadError, match="refused"):
        download("https://127.0.0.1:1/x", tmp_path / "x")


def test_certificates_are_checked(server, tmp_path):
    """A server that does not speak TLS, on a port that answers: no fall back to anything weaker."""
    with pytest.raises(DownloadError):
        download(server.url("/whole").replace("http:", "https:"), tmp_path / "x")


def test_redirects_to_https_are_followed():
    import urllib.request

    request = urllib.request.Request("https://example.org/a")
    new = module._Redirects().redirect_request(request, None, 302, "", {}, "https://example.org/b")
    assert new.full_url == "https://example.org/b"
