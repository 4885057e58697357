"""Static models run: arrays in and out, what does not fit, threads, sizes that change."""

import threading

import numpy as np
import paddle
import pytest

from paddle_pose import runtime
from paddle_pose.deployment.static_model import StaticModel
from paddle_pose.deployment.tensorrt import input_shapes
from paddle_pose.errors import CheckpointError, UserError


class TwoInputs(paddle.nn.Layer):
    """A model with inputs and outputs of several types, in an order that is not that of the alphabet."""

    def __init__(self):
        super().__init__()
        self.conv = paddle.nn.Conv2D(3, 4, 3, padding=1)

    def forward(self, photo, gain):
        maps = self.conv(photo.astype("float32").transpose([0, 3, 1, 2])) * gain.reshape([-1, 1, 1, 1])
        return maps, maps.flatten(1).argmax(1), maps.mean() * gain


@pytest.fixture(scope="module")
def layer():
    paddle.seed(0)
    return TwoInputs()


@pytest.fixture(scope="module")
def folder(layer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("two_inputs")
    specs = [
        paddle.static.InputSpec([None, None, None, 3], "uint8", "photo"),
        paddle.static.InputSpec([None, 1], "float32", "gain"),
    ]
    paddle.jit.save(layer, str(folder / "inference"), input_spec=specs)
    return folder


@pytest.fixture(scope="module")
def model(folder):
    return StaticModel(folder, "cpu", threads=1)


def inputs(batch=2, height=8, width=12):
    rng = np.random.default_rng(batch + height)
    photo = rng.integers(0, 256, (batch, height, width, 3), dtype=np.uint8)
    return {"photo": photo, "gain": rng.uniform(0.5, 1.5, (batch, 1)).astype(np.float32)}


def expected(layer, given):
    with paddle.no_grad():
        return [out.numpy() for out in layer(*(paddle.to_tensor(given[name]) for name in ("photo", "gain")))]


@pytest.mark.parametrize("size", [(2, 8, 12), (1, 16, 8), (3, 8, 12)])
def test_outputs_are_those_of_the_layer_in_its_order(model, layer, size):
    given = inputs(*size)
    got, want = model(given), expected(layer, given)
    assert set(model.input_names) == {"photo", "gain"}
    assert len(model.output_names) == 3
    np.testing.assert_allclose(got[0], want[0], rtol=0, atol=2e-6 * np.abs(want[0]).max())
    np.testing.assert_array_equal(got[1], want[1])
    np.testing.assert_allclose(got[2], want[2], rtol=1e-4)


@pytest.mark.parametrize("output", [0, 1, 2])
def test_one_output_alone_is_that_of_all(folder, model, output):
    if paddle.__version__.startswith("2."):
        with pytest.raises(CheckpointError, match="export again with Paddle 3"):
            StaticModel(folder, "cpu", 1, output=output)
        return
    alone, given = StaticModel(folder, "cpu", 1, output=output), inputs()
    (got,) = alone(given)
    np.testing.assert_allclose(got, model(given)[output], rtol=1e-6)


def test_an_array_that_is_a_view_is_taken_as_it_looks(model, layer):
    given = inputs()
    turned = {**given, "photo": given["photo"][:, ::-1, :, ::-1]}
    np.testing.assert_array_equal(model(turned)[0], model({**given, "photo": turned["photo"].copy()})[0])


def test_results_stay_when_the_model_runs_again(model):
    first = model(inputs())[0]
    kept = first.copy()
    model({**inputs(), "gain": np.full((2, 1), 9, np.float32)})
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"gain": None}, r"takes inputs .*but got \['photo'\]"),
        ({"more": np.zeros(1)}, "takes inputs"),
        ({"photo": np.zeros((2, 8, 8, 3), np.float32)}, "'photo' must be uint8, but is float32"),
        ({"photo": np.zeros((2, 8, 8, 4), np.uint8)}, r"must have shape \['any', 'any', 'any', 3\], but has"),
        ({"photo": np.zeros((8, 8, 3), np.uint8)}, "must have shape"),
        ({"gain": np.zeros((2, 2), np.float32)}, "'gain' must have shape"),
    ],
)
def test_what_does_not_fit_is_one_line(model, change, said):
    given = {name: array for name, array in {**inputs(), **change}.items() if array is not None}
    with pytest.raises(UserError, match=said) as caught:
        model(given)
    assert "\n" not in str(caught.value)


def test_what_paddle_refuses_while_it_runs_is_one_line_and_the_model_lives(model, layer):
    with pytest.raises(UserError, match="cannot run it") as caught:
        model({"photo": inputs(2)["photo"], "gain": np.ones((3, 1), np.float32)})  # 2 photos, 3 gains
    assert "\n" not in str(caught.value)
    given = inputs()
    np.testing.assert_allclose(model(given)[0], expected(layer, given)[0], rtol=0, atol=1e-3)


@pytest.mark.skipif(paddle.__version__.startswith("2."), reason="Paddle 2.6 does not look at the index")
def test_an_index_beyond_the_end_is_one_line(tmp_path):
    class Taken(paddle.nn.Layer):
        def __init__(self):
            super().__init__()
            self.weight = self.create_parameter([4])

        def forward(self, values, places):
            return paddle.take_along_axis(values * self.weight, places, 1)

    kinds = {"values": "float32", "places": "int64"}
    specs = [paddle.static.InputSpec([1, 4], kind, name) for name, kind in kinds.items()]
    paddle.jit.save(Taken(), str(tmp_path / "model"), input_spec=specs)
    model = StaticModel(tmp_path, "cpu", threads=1)
    with pytest.raises(UserError, match="cannot run it") as caught:
        model({"values": np.zeros((1, 4), np.float32), "places": np.full((1, 4), 4)})
    assert "\n" not in str(caught.value)


def test_several_threads_may_call_one_model(model):
    cases = [inputs(1 + i % 3, 8 + 4 * (i % 2)) for i in range(12)]
    alone = [model(case) for case in cases]
    together = [None] * len(cases)

    def work(start):
        for i in range(start, len(cases), 4):
            together[i] = model(cases[i])

    workers = [threading.Thread(target=work, args=(start,)) for start in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for want, got in zip(alone, together):
        for one, other in zip(want, got):
            np.testing.assert_array_equal(one, other)


def test_threads_are_all_cores_unless_the_user_says_otherwise(monkeypatch):
    monkeypatch.setattr(runtime, "_user_threads", None)
    assert runtime.default_threads() == runtime.usable_cores()
    monkeypatch.setattr(runtime, "_user_threads", "3")
    assert runtime.default_threads() == 3
    monkeypatch.setattr(runtime, "_user_threads", "2,1")  # nested: OpenMP's, not ours
    assert runtime.default_threads() == runtime.usable_cores()


@pytest.mark.skipif(paddle.is_compiled_with_cuda(), reason="a CPU build's messages")
def test_a_gpu_and_tensorrt_need_a_gpu_build(layer, tmp_path):
    spec = [paddle.static.InputSpec([None, 8, 8, 3], "uint8"), paddle.static.InputSpec([None, 1], "float32")]
    paddle.jit.save(layer, str(tmp_path / "model"), input_spec=spec)
    with pytest.raises(UserError, match="--device gpu:0: this is the CPU build"):
        StaticModel(tmp_path, "gpu")
    with pytest.raises(UserError, match="--engine tensorrt: this is the CPU build"):
        StaticModel(tmp_path, engine="tensorrt")


def test_shapes_that_tensorrt_is_built_for():
    from paddle_pose.deployment.static_files import StaticFiles, StaticInput

    one = (StaticInput("images", "uint8", (-1, 256, 192, 3)),)
    assert input_shapes(StaticFiles(None, None, one)) == {
        "images": ([1, 256, 192, 3], [1, 256, 192, 3], [32, 256, 192, 3])
    }
    everybody = (StaticInput("images", "uint8", (-1, -1, -1, 3)),)
    smallest, usual, largest = input_shapes(StaticFiles(None, None, everybody))["images"]
    assert smallest < usual < largest
    assert all(side % 8 == 0 for row in (smallest, usual, largest) for side in row[1:3])
