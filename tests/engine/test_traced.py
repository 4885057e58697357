"""train.to_static: the same training through a traced program."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import paddle
import pytest
from engine_cases import TinyNet, arrays, assert_close_arrays, assert_same_arrays, build_tiny, filled, make_batch

from paddle_pose import runtime
from paddle_pose.builder import build
from paddle_pose.builder_training import build_trainer
from paddle_pose.config import load_config
from paddle_pose.engine.meter import Meter
from paddle_pose.networks.convolution import training_by_onednn

CONFIGS = Path(__file__).parents[2] / "configs"


def losses_and_state(steps=6, network=None, **train):
    network = network or filled(TinyNet(batch_norm=True))
    trainer = build_tiny(network, steps=steps, **train)
    network.train()
    losses = [float(trainer.train_step([make_batch([2 * k, 2 * k + 1])])) for k in range(steps)]
    return losses, trainer.state({}), trainer


def test_losses_weights_and_statistics_are_those_of_eager_training():
    losses, state, _ = losses_and_state()
    traced_losses, traced_state, trainer = losses_and_state(to_static=True)
    assert trainer._parallel is not trainer.network
    np.testing.assert_allclose(traced_losses, losses, rtol=1e-5)
    assert losses[-1] < losses[0]
    assert_close_arrays(traced_state["network"], state["network"], rtol=1e-4, atol=1e-5)
    assert_close_arrays(traced_state["optimizer"], state["optimizer"], rtol=1e-4, atol=1e-5)


def test_validation_between_steps_sees_the_eager_network_with_its_running_statistics():
    _, _, trainer = losses_and_state(to_static=True)
    trainer.network.eval()
    images = paddle.to_tensor(np.random.default_rng(0).normal(size=(2, 3, 32, 32)).astype("float32"))
    shown = trainer.network(images)[0].numpy()
    plain = TinyNet(batch_norm=True)
    plain.set_state_dict(arrays(trainer.network))
    plain.eval()
    np.testing.assert_array_equal(shown, plain(images)[0].numpy())
    trainer.network.train()
    before = arrays(trainer.network)["bn._mean"]
    trainer.train_step([make_batch([7, 8])])
    assert not np.array_equal(arrays(trainer.network)["bn._mean"], before)  # still in training mode


def test_a_resumed_run_goes_on_to_the_same_bits():
    _, state, trainer = losses_and_state(to_static=True)
    second = TinyNet(batch_norm=True)
    other = build_tiny(second, steps=6, to_static=True)
    other.load_state(state, "state")
    for each in (trainer, other):
        each.network.train()
        each.train_step([make_batch([20, 21])])
    assert_same_arrays(arrays(trainer.network), arrays(second))


@pytest.mark.parametrize("part", ["first", "bn"])
def test_what_is_thawed_is_traced_anew(part):
    def fit(**train):
        trainer = build_tiny(filled(TinyNet(batch_norm=True)), freeze=[part], freeze_epochs=1, epochs=2, **train)
        during = []

        def batches(epoch, first):
            during.append(arrays(trainer.network))
            return iter([make_batch([4 * epoch + k, 9]) for k in range(2)])

        trainer.fit(2, batches, Meter(2, 2, 1, 1), lambda: None, lambda: None)
        return [*during, arrays(trainer.network)]

    start, thawed, end = fit(to_static=True)
    resting = [name for name in start if name.startswith(f"{part}.")]
    assert_same_arrays({n: start[n] for n in resting}, {n: thawed[n] for n in resting})
    assert any(not np.array_equal(thawed[n], end[n]) for n in resting)
    assert_close_arrays(end, fit()[-1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["hourglass/hg1_small", "cpm/small", "deeppose/small"])
def test_a_network_of_a_paper_has_the_same_losses(name):
    def losses(to_static):
        runtime.seed_everything(0)
        settings = ("optimizer.type=SGD", "optimizer.lr=0.01", f"train.to_static={to_static}")
        config = load_config(CONFIGS / f"{name}_synthetic_96x96.yaml", settings)
        parts = build(config)
        trainer, joints = build_trainer(parts, 10, 1), len(parts.skeleton)
        trainer.network.train()
        return [float(trainer.train_step([batch_of(k, joints, config.input_wh[0])])) for k in range(3)]

    np.testing.assert_allclose(losses("true"), losses("false"), rtol=1e-5)


def batch_of(k, num_joints, size):
    rng = np.random.default_rng(k)
    joints_crop = rng.uniform(4, size - 5, (4, num_joints, 2)).astype("float32")
    weight = np.ones((4, num_joints), "float32")
    return replace(make_batch(range(4 * k, 4 * k + 4), size), joints_crop=joints_crop, weight=weight)


@pytest.mark.parametrize(("to_static", "around"), [(False, training_by_onednn), (True, nullcontext)])
def test_steps_by_onednn_unless_traced_as_a_whole(to_static, around):
    assert build_tiny(TinyNet(), to_static=to_static)._around_step is around
