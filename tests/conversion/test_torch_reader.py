import pickle
import random
import zipfile
from pathlib import Path

import numpy as np
import pytest
from torch_cases import RAW, Call, Id, Made, Named, as_legacy, as_zip, golden_arrays, pickled, storage, tensor

from paddle_pose.conversion import torch_reader
from paddle_pose.conversion.torch_names import Foreign
from paddle_pose.conversion.torch_reader import read_torch
from paddle_pose.errors import CheckpointError

GOLDEN = Path(__file__).parents[1] / "data" / "golden_torch"
FORMS = {"zip": as_zip, "legacy": as_legacy}
WEIGHT = np.arange(4, dtype="float32")


def write(tmp_path, content, name="file.pth"):
    path = tmp_path / name
    path.write_bytes(content)
    return path


def assert_same(got, wanted):
    assert list(got) == list(wanted)
    for name, array in wanted.items():
        assert (got[name].dtype, got[name].shape) == (array.dtype, array.shape), name
        np.testing.assert_array_equal(got[name], array, err_msg=name)


@pytest.mark.parametrize("form", FORMS)
def test_a_training_checkpoint_that_pytorch_wrote(form):
    content = read_torch(GOLDEN / f"{form}.pth")
    assert_same(content["state_dict"], golden_arrays())
    np.testing.assert_array_equal(content["optimizer"]["state"][0]["momentum_buffer"], np.ones((2, 2)))
    assert content["optimizer"]["param_groups"][0]["lr"] == 0.1
    assert content["epoch"] == 3
    meta = content["meta"]
    assert (meta["best"], meta["device"], meta["dtype"]) == (0.5, "cuda:1", "torch.float16")
    assert (meta["shape"], meta["found"]) == ((2, 3), {"a": [1]})
    np.testing.assert_array_equal(meta["table"], np.arange(6).reshape(2, 3))
    foreign = {name: value.name for name, value in meta.items() if isinstance(value, Foreign)}
    assert set(foreign) == {"args", "time", "names", "texts", "objects", "history"}
    assert foreign["args"] == "argparse.Namespace"


def test_the_golden_training_checkpoint_mentions_getattr_as_mmengines_do():
    with zipfile.ZipFile(GOLDEN / "zip.pth") as archive:
        assert b"c__builtin__\ngetattr\n" in archive.read("zip/data.pkl")


@pytest.mark.parametrize("form", FORMS)
def test_each_storage_is_read_once_and_shared_tensors_share_memory(form, monkeypatch):
    reads = []
    original = torch_reader._bytes_at
    monkeypatch.setattr(torch_reader, "_bytes_at", lambda *place: reads.append(place[1]) or original(*place))
    state = read_torch(GOLDEN / f"{form}.pth")["state_dict"]
    assert np.shares_memory(state["layer.weight"], state["transposed.weight"])
    assert np.shares_memory(state["layer.weight"], state["expanded.weight"])
    assert len(reads) == len(set(reads))


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("protocol", [2, 4])
def test_what_pytorch_writes_here_and_now(tmp_path, legacy, protocol):
    torch = pytest.importorskip("torch")
    base = torch.randn(4, 6)
    dtypes = ("float32", "float16", "float64", "int64", "int32", "int16", "int8", "uint8", "bool", "complex64")
    state = {f"{name}.weight": base.to(getattr(torch, name)) for name in dtypes}
    state.update({f"{name}.weight": base.abs().to(getattr(torch, name)) for name in ("uint16", "uint32", "uint64")})
    state.update(t=base.T, step=base[::2, 1::3], one=base[2, 3], wide=base[:1].expand(5, 6), none=base[:0])
    state.update(parameter=torch.nn.Parameter(base), permuted=torch.randn(2, 3, 4).permute(2, 0, 1))
    state["channels_last"] = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    path = tmp_path / "a.pth"
    torch.save(state, path, _use_new_zipfile_serialization=not legacy, pickle_protocol=protocol)
    assert_same(read_torch(path), {name: value.detach().numpy() for name, value in state.items()})
    half = base.bfloat16()
    torch.save(half, path, _use_new_zipfile_serialization=not legacy)
    np.testing.assert_array_equal(read_torch(path), half.float().numpy())


def test_a_file_that_pytorch_wrote_without_checksums(tmp_path):
    torch = pytest.importorskip("torch")
    before = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(False)
    try:
        torch.save({"a.weight": torch.ones(3)}, tmp_path / "a.pth")
    finally:
        torch.serialization.set_crc32_options(before)
    assert_same(read_torch(tmp_path / "a.pth"), {"a.weight": np.ones(3, "float32")})


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
@pytest.mark.parametrize("legacy", [False, True])
def test_what_is_no_plain_tensor_of_pytorch(tmp_path, legacy):
    torch = pytest.importorskip("torch")
    path = tmp_path / "a.pth"
    cases = {
        "pickled module": torch.nn.Linear(2, 3),
        "pickled module ": {"net": torch.nn.Linear(2, 3), "epoch": 1},
        "sparse": {"a.weight": torch.eye(3).to_sparse()},
        "quantised": {"a.weight": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8)},
    }
    for reason, content in cases.items():
        torch.save(content, path, _use_new_zipfile_serialization=not legacy)
        with pytest.raises(CheckpointError, match=reason.strip()):
            read_torch(path)


def test_a_torchscript_archive(tmp_path):
    torch = pytest.importorskip("torch")
    torch.jit.trace(torch.nn.Linear(2, 3), torch.ones(1, 2)).save(str(tmp_path / "a.pt"))
    with pytest.raises(CheckpointError, match="TorchScript"):
        read_torch(tmp_path / "a.pt")


@pytest.mark.parametrize("form", FORMS)
def test_legacy_views_of_a_storage(tmp_path, form):
    content = {"a.weight": tensor(storage(view=(("v", 1, 2),)), 0, (2,), (1,)), "b.weight": tensor(storage())}
    state = read_torch(write(tmp_path, FORMS[form](pickled(content), {"0": RAW})))
    assert_same(state, {"a.weight": WEIGHT[1:3], "b.weight": WEIGHT})


@pytest.mark.parametrize("form", FORMS)
def test_a_foreign_dict_of_weights_is_named(tmp_path, form):
    content = {"state_dict": Made(Named("easydict", "EasyDict"), state={"a.weight": tensor(storage())})}
    with pytest.raises(CheckpointError, match=r"easydict\.EasyDict"):
        read_torch(write(tmp_path, FORMS[form](pickled(content), {"0": RAW})))


@pytest.mark.parametrize("form", FORMS)
def test_a_foreign_object_among_the_weights_is_named(tmp_path, form):
    content = {"a.weight": tensor(storage()), "b.weight": tensor(storage()), "c": Call(Named("some.where", "Thing"))}
    with pytest.raises(CheckpointError, match=r"'c', among the weights, an object of some\.where\.Thing"):
        read_torch(write(tmp_path, FORMS[form](pickled(content), {"0": RAW})))


@pytest.mark.parametrize("form", FORMS)
def test_baggage_with_arrays_and_foreign_objects_costs_no_weights(tmp_path, form):
    baggage = {"mean": tensor(storage()), "std": tensor(storage()), "time": Call(Named("datetime", "datetime"), b"x")}
    content = {"state_dict": {"a.weight": tensor(storage())}, "meta": baggage}
    state = read_torch(write(tmp_path, FORMS[form](pickled(content), {"0": RAW})))
    assert_same(state["state_dict"], {"a.weight": WEIGHT})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (tensor(storage(count=4), 1), "outside its storage"),
        (tensor(storage(count=4), -1), "no lengths"),
        (tensor(storage(count=4), 0, (2,), (-1,)), "no lengths"),
        (tensor(storage(count=4), 0, (2, 2), (3, 2)), "outside its storage"),
        (tensor(storage(count=4), 0, (2**40,), (0,)), "made of 4"),
        (tensor(storage(count=4), 0, (1,) * 33, (1,) * 33), "no lengths"),
        (tensor(storage(count=4), 0, (2, 2), (1,)), "unknown form"),
        (tensor(storage(count=2**50), 0, (2**50,), (1,)), "claims|not"),
        (tensor(storage(count=5), 0, (5,), (1,)), "claims|not 5"),
        (tensor(storage(count=-4)), "a storage of -4"),
        (tensor(storage(count=4.0)), "a storage of"),
        (tensor(storage(key="../../etc/passwd")), "claims|do not know|missing"),
        (tensor(storage(view=(("v", 3, 2),)), 0, (2,), (1,)), "view outside"),
        ([tensor(storage()), tensor(storage(kind="DoubleStorage"))], "two storages"),
        (tensor("no storage"), "without a storage"),
        (Id(("something", "else")), "persistent id"),
        (Id("ab"), "persistent id"),
    ],
)
@pytest.mark.parametrize("form", FORMS)
def test_lies_about_storages(tmp_path, form, content, reason):
    with pytest.raises(CheckpointError, match=reason):
        read_torch(write(tmp_path, FORMS[form](pickled({"a.weight": content}), {"0": RAW})))


def test_an_untyped_storage_cannot_be_overrun_through_its_view(tmp_path):
    view = storage(count=16, kind="UntypedStorage", view=(("v", 8, 8),))
    rebuilt = Call(Named("torch._utils", "_rebuild_tensor_v3"), view, 0, (4,), (1,), False, {}, Named("torch", "int16"))
    with pytest.raises(CheckpointError, match="two dtypes"):
        read_torch(write(tmp_path, as_zip(pickled({"a.weight": rebuilt}), {"0": RAW})))


def small(form) -> bytes:
    return FORMS[form](pickled({"state_dict": {"a.weight": tensor(storage())}, "epoch": 1}), {"0": RAW})


@pytest.mark.parametrize("form", FORMS)
def test_every_truncation_is_a_checkpoint_error(tmp_path, form):
    whole = small(form)
    assert_same(read_torch(write(tmp_path, whole))["state_dict"], {"a.weight": WEIGHT})
    for length in range(len(whole)):
        with pytest.raises(CheckpointError):
            read_torch(write(tmp_path, whole[:length]))


@pytest.mark.parametrize("form", FORMS)
def test_damaged_bytes_never_raise_anything_else(tmp_path, form):
    rng = random.Random(0)
    whole, messages = small(form), []
    for _ in range(600):
        content = bytearray(whole)
        for _ in range(rng.randint(1, 3)):
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        try:
            read_torch(write(tmp_path, bytes(content)))
        except CheckpointError as error:
            messages.append(str(error))
    assert all(message.isprintable() for message in messages)
    assert len(messages) > 200  # a changed number is still a number, and a zip archive repeats much of what it says


@pytest.mark.parametrize("name", ["archive/data/0", "archive/data.pkl"])
def test_a_changed_byte_in_a_member_is_seen(tmp_path, name):
    whole = small("zip")
    place = whole.index(RAW if name.endswith("0") else b"epoch")
    content = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
    with pytest.raises(CheckpointError, match=f"checksum of {name} is wrong"):
        read_torch(write(tmp_path, content))


def test_zip_archives_that_torch_save_does_not_write(tmp_path):
    good = pickled({"a.weight": tensor(storage())})
    bomb = as_zip(good, {"0": bytes(10_000_000)}, compression=zipfile.ZIP_DEFLATED)
    assert len(bomb) < 20_000
    encrypted = bytearray(as_zip(good, {"0": RAW}))
    encrypted[encrypted.index(b"PK\x01\x02") + 8] |= 1
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = as_zip(good, {"0": RAW}, extra={"data/0": RAW})
    cases = {
        "compressed": bomb,
        "encrypted": bytes(encrypted),
        "overlap": twice,
        "TorchScript": as_zip(good, {"0": RAW}, extra={"code/__torch__.py": b"", "constants.pkl": b""}),
        "several": as_zip(good, {"0": RAW}, extra={"deep/data.pkl": good}),
        "big-endian": as_zip(good, {"0": RAW}).replace(b"little", b"bigend"),
        "no data.pkl": as_zip(good, {"0": RAW}).replace(b"data.pkl", b"data.txt"),
        "without its directory": as_zip(good, {"0": RAW})[:-30],
    }
    for reason, content in cases.items():
        with pytest.raises(CheckpointError, match="checksum|big-endian" if reason == "big-endian" else reason):
            read_torch(write(tmp_path, content))


def test_members_that_share_their_bytes_are_refused(tmp_path):
    """Many entries of the directory for the same bytes would read as many times what the file holds."""
    whole = as_zip(pickled({"a.weight": tensor(storage())}), {"0": RAW, "1": RAW}, extra={"big": bytes(5000)})
    entry = whole.index(b"PK\x01\x02")
    again = whole[entry:].replace(b"archive/data/1", b"archive/data/2")
    first, sizes = again.index(b"archive/data/2") - 46, (5000).to_bytes(4, "little") * 2
    crafted = again[: first + 20] + sizes + again[first + 28 :]
    with pytest.raises(CheckpointError, match="overlap"):
        read_torch(write(tmp_path, whole[:entry] + crafted))


def test_a_big_endian_legacy_file(tmp_path):
    content = as_legacy(pickled({"a.weight": tensor(storage())}), {"0": RAW})
    place = content.index(b"little_endian") + len("little_endian")
    true = content.index(pickle.NEWTRUE, place)
    swapped = content[:true] + pickle.NEWFALSE + content[true + 1 :]
    with pytest.raises(CheckpointError, match="big-endian"):
        read_torch(write(tmp_path, swapped))


def test_a_legacy_file_of_another_version(tmp_path):
    content = as_legacy(pickled({}), {}).replace(pickle.dumps(1001, 2), pickle.dumps(1002, 2), 1)
    with pytest.raises(CheckpointError, match="version 1002"):
        read_torch(write(tmp_path, content))


def test_missing_file(tmp_path):
    with pytest.raises(CheckpointError, match="No such file"):
        read_torch(tmp_path / "none.pth")
