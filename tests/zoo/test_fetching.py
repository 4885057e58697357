"""fetch(): checked before it is read, converted, written whole, once; and what it says where that cannot be."""

import json
import pickle
import threading
import time

import numpy as np
import pytest
from conversion.torch_cases import as_legacy, as_zip
from zoo_cases import Server, entry, plain_opener, published_file, send, write_config

import paddle_pose
from paddle_pose import builder_conversion
from paddle_pose.conversion.torch_writer import write_torch
from paddle_pose.digests import sha256_of
from paddle_pose.engine.checkpoint import load_model
from paddle_pose.errors import CheckpointError, UserError
from paddle_pose.zoo import cached_model, fetching
from paddle_pose.zoo.cache import Place
from paddle_pose.zoo.download import download
from paddle_pose.zoo.fetching import fetch


class Touch:
    """Runs a command when a careless program reads it."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        import os

        return os.system, (f"touch {self.mark}",)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PADDLE_POSE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "configs").mkdir()
    monkeypatch.setattr(fetching, "configs_folder", lambda: str(write_config(tmp_path / "configs")))
    return tmp_path / "cache"


@pytest.fixture
def published(tmp_path):
    path = tmp_path / "tiny.pth"
    return path, published_file(path)


@pytest.fixture
def served(published, monkeypatch):
    """The file is on the network; a list of how often it was asked for."""
    asked = []

    def answer(request):
        asked.append(1)
        send(request, published[0].read_bytes())

    server = Server({"/tiny.pth": answer})
    monkeypatch.setattr(
        fetching, "download", lambda url, target: download(server.url("/tiny.pth"), target, plain_opener())
    )
    yield asked
    server.close()


@pytest.fixture
def unread(monkeypatch):
    """Nothing may be read from a file."""

    def fail(path):
        raise AssertionError(f"{path} was read")

    monkeypatch.setattr(builder_conversion, "read_checkpoint", fail)


def files(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.name != ".lock")


@pytest.mark.parametrize("digits", [8, 64])
def test_fetched_checked_converted_and_kept(cache, published, served, digits, capsys):
    path, sha256 = published
    known = entry(sha256=sha256[:digits], reference="bearpaw_hg2_mpii_256x256")
    model = fetch("tiny", known)
    assert model == cache / "tiny" / "tiny.safetensors"
    weights, facts = load_model(model)
    network = paddle_pose.load_network(str(model))
    assert set(weights) == set(network.state_dict())
    assert facts["converted_from"]["sha256"] == sha256
    assert facts["config"]["reference"] == "bearpaw_hg2_mpii_256x256"  # val.py stands beside the published row
    told = json.loads((cache / "tiny" / "provenance.json").read_text())
    assert (told["url"], told["file_sha256"], told["model_sha256"]) == (known.url, sha256, sha256_of(model))
    assert files(cache) == ["provenance.json", "tiny.pth", "tiny.safetensors"]
    assert fetch("tiny", known) == cached_model("tiny") == model
    assert len(served) == 1
    assert "fetching https://example.org/tiny.pth" in capsys.readouterr().err


def test_by_hand_gives_the_same_model(cache, published, served):
    path, sha256 = published
    downloaded = sha256_of(fetch("tiny", entry(sha256=sha256)))
    assert sha256_of(fetch("other", entry(sha256=sha256), path)) == downloaded
    assert files(cache / "other") == ["other.safetensors", "provenance.json"]  # the user's file stays the user's


def test_another_file_from_the_network_is_deleted_unread(cache, served, unread):
    with pytest.raises(CheckpointError, match="not the published file: its SHA-256 begins with .* deleted unread"):
        fetch("tiny", entry(sha256="0" * 8))
    assert files(cache) == []


def test_another_file_by_hand_is_refused_unread_and_left_alone(cache, published, unread):
    path, sha256 = published
    with pytest.raises(CheckpointError, match=f"^{path}: is not the published file.*it was not read"):
        fetch("tiny", entry(sha256="0" * 64), path)
    assert sha256_of(path) == sha256
    assert files(cache) == []


def test_without_a_published_hash_the_first_one_counts(cache, published, tmp_path, capsys):
    path, sha256 = published
    by_hand = entry(url=None, file="tiny.pth", by_hand="tiny.pth from the page")
    model = fetch("tiny", by_hand, path)
    assert f"nobody has published its hash. SHA-256: {sha256}" in capsys.readouterr().err
    published_file(tmp_path / "second.pth", seed=8)
    before = sha256_of(model)
    with pytest.raises(CheckpointError, match=f"not the first fetched file.*delete {cache}/tiny"):
        fetch("tiny", by_hand, tmp_path / "second.pth")
    assert sha256_of(model) == before
    fetch("tiny", by_hand, path)
    assert "nobody" not in capsys.readouterr().err


def test_a_hostile_file_runs_nothing(cache, tmp_path):
    mark, path = tmp_path / "mark", tmp_path / "hostile.pth"
    hostile = pickle.dumps(Touch(mark), protocol=2)
    for content in (hostile, as_zip(hostile, {}), as_legacy(hostile, {})):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match="hostile.pth"):
            fetch("tiny", entry(sha256=sha256_of(path)), path)
    assert not mark.exists()
    pickle.loads(hostile)
    assert mark.exists()  # the file would do it
    assert files(cache) == []


def test_a_file_of_another_network_is_refused(cache, tmp_path):
    write_torch(tmp_path / "other.pth", {"conv.weight": np.zeros((4, 3, 3, 3), "float32")})
    with pytest.raises(CheckpointError):
        fetch("tiny", entry(sha256=sha256_of(tmp_path / "other.pth")), tmp_path / "other.pth")
    assert cached_model("tiny") is None


def test_without_a_network_it_says_what_to_do(cache, published):
    known = entry(sha256=published[1], url="https://127.0.0.1:1/tiny.pth")
    with pytest.raises(UserError) as error:
        fetch("tiny", known)
    words = str(error.value)
    assert "cannot be fetched from here (Connection refused)" in words
    assert "https://127.0.0.1:1/tiny.pth (page: https://example.org/page)" in words
    assert words.endswith("python -m paddle_pose.zoo fetch tiny --from tiny.pth")
    assert files(cache) == []


def test_what_no_program_can_fetch(cache):
    known = entry(url=None, file="tiny.pth", by_hand="tiny.pth from the Google Drive folder")
    with pytest.raises(UserError, match="^tiny: no program can fetch it. Get tiny.pth from the Google Drive folder"):
        fetch("tiny", known)
    assert not cache.exists()


def test_no_such_file_by_hand(cache, tmp_path):
    with pytest.raises(UserError, match="no such file; check --from"):
        fetch("tiny", entry(sha256="0" * 8), tmp_path / "nothing.pth")


def test_an_interruption_leaves_nothing_half(cache, published, served, monkeypatch):
    def broken(url, target):
        target.write_bytes(published[0].read_bytes()[:1000])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fetching, "download", broken)
        with pytest.raises(KeyboardInterrupt):
            fetch("tiny", entry(sha256=published[1]))
    assert files(cache) == []
    (cache / "tiny" / ".tiny.pth.1.tmp").write_bytes(b"of a process that was killed")
    fetch("tiny", entry(sha256=published[1]))
    assert files(cache) == ["provenance.json", "tiny.pth", "tiny.safetensors"]


@pytest.mark.parametrize("rest", ["model", "provenance", "both"])
def test_what_was_damaged_is_made_anew_without_the_network(cache, published, served, rest):
    model = fetch("tiny", entry(sha256=published[1]))
    before = sha256_of(model)
    if rest != "provenance":
        model.write_bytes(model.read_bytes()[:-1] + b"x")
    if rest != "model":
        (cache / "tiny" / "provenance.json").write_text("[1]")
    assert cached_model("tiny") is None
    assert sha256_of(fetch("tiny", entry(sha256=published[1]))) == before
    assert len(served) == 1


def test_two_at_once_fetch_once(cache, published, served, monkeypatch):
    plain = fetching.download

    def slow(url, target):
        time.sleep(0.3)
        plain(url, target)

    monkeypatch.setattr(fetching, "download", slow)
    found, known = [], entry(sha256=published[1])
    threads = [threading.Thread(target=lambda: found.append(fetch("tiny", known))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [cache / "tiny" / "tiny.safetensors"] * 3
    assert len(served) == 1


@pytest.mark.parametrize("place", ["/proc/1/paddle_pose", "FILE"])
def test_a_cache_that_cannot_be_written(published, tmp_path, monkeypatch, place):
    if place == "FILE":
        (tmp_path / "file").write_text("x")
        place = str(tmp_path / "file" / "cache")
    monkeypatch.setenv("PADDLE_POSE_CACHE", place)
    with pytest.raises(UserError, match="cannot be written .*; free some space there, or set PADDLE_POSE_CACHE"):
        fetch("tiny", entry(sha256=published[1]), published[0])


def test_a_full_disk(cache, published, monkeypatch):
    def full(path):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(fetching, "replacing", full)
    with pytest.raises(UserError, match="No space left on device.*PADDLE_POSE_CACHE"):
        fetch("tiny", entry(sha256=published[1]))


def test_what_is_there_needs_no_writing(cache, published, monkeypatch):
    model = fetch("tiny", entry(sha256=published[1]), published[0])

    def refuse(self):
        raise AssertionError("the cache is read-only")

    monkeypatch.setattr(Place, "held", refuse)
    assert fetch("tiny", entry(sha256=published[1])) == model
