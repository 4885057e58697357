import errno
import os
import pickle
import shutil
import subprocess
import sys

import numpy as np
import paddle
import pytest
from engine_cases import TinyNet, arrays, assert_same_arrays, filled, make_batch, make_trainer, optimizer_of

from paddle_pose import safetensor_files
from paddle_pose.engine import checkpoint
from paddle_pose.engine.checkpoint import (
    load_model,
    load_training_state,
    load_weights,
    save_atomically,
    save_model,
    to_arrays,
)
from paddle_pose.engine.ema import Ema
from paddle_pose.errors import CheckpointError


def one_line(error) -> str:
    message = str(error.value)
    assert "\n" not in message
    return message


def test_a_model_comes_back_with_its_facts(tmp_path):
    network = filled(TinyNet(batch_norm=True))
    path = tmp_path / "new" / "folder" / "model.pdparams"
    save_model(path, to_arrays(network.state_dict()), {"config": {"seed": 3}, "skeleton": "toy"})
    weights, meta = load_model(path)
    assert_same_arrays(weights, arrays(network))
    assert meta == {"config": {"seed": 3}, "skeleton": "toy"}

    other = filled(TinyNet(batch_norm=True), seed=9)
    load_weights(other, weights, path)
    images = paddle.to_tensor(np.random.default_rng(0).normal(size=(2, 3, 32, 32)).astype("float32"))
    network.eval()
    other.eval()
    assert np.array_equal(network(images)[0].numpy(), other(images)[0].numpy())


def test_paddle_itself_reads_a_model_file(tmp_path):
    network = filled(TinyNet(batch_norm=True))
    path = tmp_path / "model.pdparams"
    save_model(path, to_arrays(network.state_dict()), {})
    content = paddle.load(str(path), return_numpy=True)
    for name, array in arrays(network).items():
        assert np.array_equal(content[name], array)
    tensors = paddle.load(str(path))
    other = TinyNet(batch_norm=True)
    other.set_state_dict({name: value for name, value in tensors.items() if name != "paddle_pose"})
    assert_same_arrays(arrays(other), arrays(network))


def test_a_file_of_paddle_save_is_a_model(tmp_path):
    network = filled(TinyNet())
    path = str(tmp_path / "plain.pdparams")
    paddle.save(network.state_dict(), path)
    weights, meta = load_model(path)
    assert_same_arrays(weights, arrays(network))
    assert meta == {}


def test_a_training_state_as_a_model_gives_the_average_if_there_is_one(tmp_path):
    path = tmp_path / "training.pdstate"
    network = filled(TinyNet())
    ema = Ema(network, 0.5)
    trainer = make_trainer(network, ema=ema)
    trainer.train_step([make_batch([0])])
    save_atomically(trainer.state({"skeleton": "toy"}), path)
    assert_same_arrays(load_model(path)[0], ema.state_dict())
    trainer.ema = None
    save_atomically(trainer.state({"skeleton": "toy"}), path)
    assert_same_arrays(load_model(path)[0], arrays(network))
    assert load_model(path)[1] == {"skeleton": "toy"}


@pytest.mark.parametrize("fails", ["pickle.dump", "os.fsync", "os.replace"])
def test_a_failure_while_writing_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, fails):
    path = tmp_path / "model.pdparams"
    save_model(path, {"a": np.ones(3)}, {})
    before = path.read_bytes()

    def full(*args, **kwargs):
        if fails == "pickle.dump":
            args[1].write(b"half of it")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    module, name = fails.split(".")
    monkeypatch.setattr(getattr(checkpoint, module), name, full)
    with pytest.raises(CheckpointError, match="No space left on device; the older file there is intact") as error:
        save_model(path, {"a": np.zeros(3)}, {})
    one_line(error)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model.pdparams"]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path):
    if os.geteuid() or not shutil.which("mount") or sys.platform != "linux":
        pytest.skip("only root can mount a small disk")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(tmp_path)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        path = tmp_path / "model.pdparams"
        save_model(path, {"a": np.ones(1000)}, {})
        before = path.read_bytes()
        with pytest.raises(CheckpointError, match="No space left on device; the older file there is intact"):
            save_model(path, {"a": np.zeros(100_000)}, {})
        assert path.read_bytes() == before
        assert os.listdir(tmp_path) == ["model.pdparams"]
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_folder_that_is_a_file_is_one_line(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(CheckpointError, match="cannot write") as error:
        save_model(tmp_path / "taken" / "model.pdparams", {}, {})
    one_line(error)


class Evil:
    def __reduce__(self):
        return os.system, ("touch executed",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "damaged"),
        (b"garbage, not a pickle", "damaged"),
        (pickle.dumps([1, 2]), "holds a list"),
        (pickle.dumps({"a": "text"}), "not an array"),
        (pickle.dumps({"a": np.ones(2), 3: np.ones(2)}), "not an array"),
        (pickle.dumps({"a": Evil()}), "could run code"),
        (pickle.dumps({"paddle_pose": "{"}), "not JSON"),
        (pickle.dumps({"paddle_pose": "[1]"}), "damaged"),
        (pickle.dumps({"paddle_pose": '{"config": "x"}'}), "damaged"),
        (pickle.dumps({"paddle_pose": '{"skeleton": [1]}'}), "damaged"),
        (pickle.dumps({"progress": 1, "network": 2}), "not a training state"),
    ],
)
def test_a_file_that_is_no_model_is_refused_in_one_line(tmp_path, monkeypatch, content, message):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model.pdparams"
    path.write_bytes(content)
    for load in (load_model, load_training_state):
        with pytest.raises(CheckpointError) as error:
            load(path)
        assert "model.pdparams" in one_line(error)
    with pytest.raises(CheckpointError, match=message):
        load_model(path)
    assert not (tmp_path / "executed").exists()


def state():
    network = filled(TinyNet())
    trainer = make_trainer(network, optimizer_of(network, type="Adam"), ema=Ema(network, 0.9))
    trainer.train_step([make_batch([0])])
    return trainer.state({"config": {}, "skeleton": "toy"})


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("network", [1]),
        ("network", {"a": "b"}),
        ("ema", {"a": np.ones(1)}),
        ("ema", 3),
        ("optimizer", {"a": None}),
        ("progress", None),
        ("schedule", "x"),
        ("meta", []),
        ("meta", {"config": 3}),
    ],
)
def test_a_training_state_with_a_spoilt_part_is_refused_in_one_line(tmp_path, part, value):
    path = tmp_path / "training.pdstate"
    whole = state()
    save_atomically(whole, path)
    load_training_state(path)
    save_atomically({**whole, part: value}, path)
    for load in (load_training_state, load_model):
        with pytest.raises(CheckpointError) as error:
            load(path)
        one_line(error)


@pytest.mark.parametrize("part", ["network", "ema", "optimizer", "scaler", "schedule", "progress", "meta"])
def test_a_training_state_without_a_part_is_refused(tmp_path, part):
    path = tmp_path / "training.pdstate"
    whole = state()
    del whole[part]
    save_atomically(whole, path)
    with pytest.raises(CheckpointError, match=part):
        load_training_state(path)


def test_a_truncated_file_is_refused_at_every_length(tmp_path):
    path = tmp_path / "training.pdstate"
    save_atomically(state(), path)
    content = path.read_bytes()
    for length in range(0, len(content) - 1, len(content) // 25):
        path.write_bytes(content[:length])
        with pytest.raises(CheckpointError):
            load_training_state(path)


def test_weights_of_another_network_change_nothing(tmp_path):
    network = filled(TinyNet())
    before = arrays(network)
    weights = arrays(filled(TinyNet(), seed=5))
    spoilt = [
        ({**weights, "more.weight": np.ones(1)}, r"'more\.weight', which the network does not know"),
        ({k: v for k, v in weights.items() if k != "second.bias"}, r"has no 'second\.bias'"),
        ({**weights, "second.bias": np.ones(4, "float32")}, r"'second\.bias' has shape \[4\], the network needs \[8\]"),
    ]
    for wrong, message in spoilt:
        with pytest.raises(CheckpointError, match=message) as error:
            load_weights(network, wrong, tmp_path / "x.pdparams")
        assert "TinyNet" in one_line(error)
    assert_same_arrays(arrays(network), before)


def test_weights_of_double_precision_are_converted(tmp_path):
    network = filled(TinyNet())
    weights = arrays(filled(TinyNet(), seed=5))
    load_weights(network, {name: value.astype("float64") for name, value in weights.items()}, tmp_path)
    assert_same_arrays(arrays(network), weights)
    assert all(value.dtype == np.float32 for value in arrays(network).values())


def test_a_safetensors_model_comes_back_with_its_facts(tmp_path):
    network = filled(TinyNet(batch_norm=True))
    path = tmp_path / "new" / "model.safetensors"
    save_model(path, to_arrays(network.state_dict()), {"config": {"seed": 3}, "skeleton": "toy"})
    weights, meta = load_model(path)
    assert_same_arrays(weights, arrays(network))
    assert meta == {"config": {"seed": 3}, "skeleton": "toy"}
    load_weights(filled(TinyNet(batch_norm=True), seed=9), weights, path)


def test_a_safetensors_file_of_another_program_has_no_facts(tmp_path):
    safetensor_files.write(tmp_path / "model.safetensors", {"a": np.ones(3)}, {"format": "pt"})
    weights, meta = load_model(tmp_path / "model.safetensors")
    assert (list(weights), meta) == (["a"], {})


def test_a_damaged_safetensors_model_is_one_line(tmp_path):
    path = tmp_path / "model.safetensors"
    save_model(path, {"a": np.ones(3)}, {})
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match="damaged or not a safetensors file") as error:
        load_model(path)
    one_line(error)
    with pytest.raises(CheckpointError, match="no such file"):
        load_model(tmp_path / "none.safetensors")
    safetensor_files.write(path, {"a": np.ones(3)}, {})
    with pytest.raises(CheckpointError, match="not a training state"):
        load_training_state(path)


def test_a_pipe_or_a_device_is_not_replaced_by_a_file(tmp_path):
    pipe = tmp_path / "pipe.pdparams"
    os.mkfifo(pipe)
    with pytest.raises(CheckpointError, match="it is a device or a pipe"):
        save_atomically({}, pipe)
    assert pipe.is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == [pipe.name]


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."])
def test_a_checkpoint_of_pytorch_is_said_to_be_one(tmp_path, start):
    path = tmp_path / "hg.pth"
    path.write_bytes(start + bytes(100))
    with pytest.raises(
        CheckpointError, match=r"is a PyTorch checkpoint; first: paddle-pose convert \S+hg\.pth"
    ) as error:
        load_model(path)
    one_line(error)
