"""A small published checkpoint, its entry, and a server of this machine that gives it or misbehaves."""

import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import yaml

from paddle_pose.conversion.torch_state import torch_state
from paddle_pose.conversion.torch_writer import write_torch
from paddle_pose.digests import sha256_of
from paddle_pose.networks.hourglass import StackedHourglass
from paddle_pose.runtime import seed_everything
from paddle_pose.zoo.download import opener_of
from paddle_pose.zoo.index import Published

CONFIG = {
    "input_wh": [64, 64],
    "dataset": {"type": "MPII", "root": "nowhere"},
    "network": {"type": "StackedHourglass", "stacks": 1, "width": 16, "depth": 2},
    "codec": {"type": "GaussianHeatmap", "sigma_map": 1.5},
    "metric": {"type": "PCKh"},
    "reference": None,
}
LONGEST = 5_000_000


def published_file(path, seed=7):
    """Writes bearpaw's form of a narrow Hourglass; returns its SHA-256."""
    seed_everything(seed)
    network = StackedHourglass(16, stacks=1, width=16, depth=2)
    network.eval()
    write_torch(path, torch_state(network, {name: value.numpy() for name, value in network.state_dict().items()})[1])
    return sha256_of(path)


def write_config(folder):
    (folder / "tiny.yaml").write_text(yaml.safe_dump(CONFIG))
    return folder


def entry(**fields) -> Published:
    common = {"what": "a narrow Hourglass", "config": "tiny.yaml", "licence": "none", "data_licence": "none"}
    common |= {"page": "https://example.org/page", "url": "https://example.org/tiny.pth"}
    return Published.model_validate({**common, **fields})


def plain_opener() -> urllib.request.OpenerDirector:
    """Opens http too, for this machine's own server."""
    return opener_of(urllib.request.HTTPHandler())


class Handler(BaseHTTPRequestHandler):
    """`/NAME` is answered by the function of that name on the server."""

    def do_GET(self):
        self.server.answers[self.path](self)

    def log_message(self, *arguments):
        pass


class Server:
    """On a port of its own; `answers` maps paths to functions of the request's handler."""

    def __init__(self, answers):
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.answers = answers
        self.asked = 0
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}{path}"

    def close(self):
        self._server.shutdown()
        self._server.server_close()


def send(request, content: bytes, length=None, code=200, headers=()):
    """An answer; `length` is what it says of its length, None the truth, -1 nothing."""
    request.send_response(code)
    if length != -1:
        request.send_header("Content-Length", str(len(content) if length is None else length))
    for name, value in headers:
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(content)


def redirect(request, to: str):
    send(request, b"", code=302, headers=[("Location", to)])
