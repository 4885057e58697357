import os
import signal
import warnings

import numpy as np
import paddle
import pytest
from engine_cases import (
    TinyNet,
    arrays,
    assert_close_arrays,
    assert_same_arrays,
    filled,
    make_batch,
    make_trainer,
    optimizer_of,
)

from paddle_pose.engine.ema import Ema
from paddle_pose.engine.meter import Meter
from paddle_pose.engine.precision import Precision
from paddle_pose.engine.schedule import Schedule
from paddle_pose.engine.stop import Interrupted
from paddle_pose.errors import CheckpointError, UserError


def stepped(groups, network=None, **options):
    """Weights after one step per group of batches, of SGD with rate 1: what they moved is the gradient."""
    network = network or filled(TinyNet())
    trainer = make_trainer(network, optimizer_of(network, lr=1.0, **options))
    losses = [float(trainer.train_step(group)) for group in groups]
    return arrays(network), losses


def test_two_accumulated_batches_are_one_of_double_size():
    halves, half_losses = stepped([[make_batch([0, 1]), make_batch([2, 3])]])
    whole, whole_losses = stepped([[make_batch([0, 1, 2, 3])]])
    assert_close_arrays(halves, whole, rtol=1e-5, atol=1e-7)
    assert half_losses == pytest.approx(whole_losses, rel=1e-6)
    once, _ = stepped([[make_batch([0, 1])]])
    assert np.abs(once["first.weight"] - whole["first.weight"]).max() > 1e-4  # the second half matters


def test_gradients_do_not_stay_for_the_next_step():
    two, _ = stepped([[make_batch([0])], [make_batch([1])]])
    first, _ = stepped([[make_batch([0])]])
    network = TinyNet()  # has no gradient yet
    network.set_state_dict(first)
    second, _ = stepped([[make_batch([1])]], network)
    assert_same_arrays(two, second)


def test_clipping_limits_the_gradient_of_the_whole_group():
    start = arrays(filled(TinyNet()))
    free, _ = stepped([[make_batch([0]), make_batch([1])]])
    clipped, _ = stepped([[make_batch([0]), make_batch([1])]], clip_norm=0.01)
    moved = {name: free[name] - start[name] for name in start}
    norm = np.sqrt(sum((m.astype("float64") ** 2).sum() for m in moved.values()))
    assert norm > 0.01
    expected = {name: start[name] + moved[name] * 0.01 / norm for name in start}
    assert_close_arrays(clipped, expected, rtol=1e-4, atol=1e-6)


def test_a_frozen_part_keeps_weights_and_running_statistics():
    network = filled(TinyNet(batch_norm=True))
    for name, parameter in network.named_parameters():
        parameter.stop_gradient = parameter.stop_gradient or name.startswith(("first.", "bn."))
    trainer = make_trainer(network, optimizer_of(network, type="Adam", weight_decay=0.1), frozen=("first", "bn"))
    before = arrays(network)
    run_epoch(trainer, 3)
    after = arrays(network)
    moved = {name for name in before if not np.array_equal(before[name], after[name])}
    assert moved == {"second.weight", "second.bias", "to_maps.weight", "to_maps.bias"}


def test_without_freezing_everything_moves():
    network = filled(TinyNet(batch_norm=True))
    before = arrays(network)
    run_epoch(make_trainer(network), 2)
    after = arrays(network)
    resting = {name for name in before if np.array_equal(before[name], after[name])}
    assert resting <= {"first.bias"}  # the batch norm after it takes any shift away: its gradient is rounding


def test_the_average_follows_its_formula():
    network = filled(TinyNet(batch_norm=True))
    ema = Ema(network, 0.75)
    trainer = make_trainer(network, ema=ema)
    expected = arrays(network)
    for k in range(3):
        trainer.train_step([make_batch([k])])
        now = arrays(network)
        expected = {name: 0.75 * expected[name] + 0.25 * now[name] for name in expected}
    assert_close_arrays(ema.state_dict(), expected, rtol=1e-5, atol=1e-7)

    own = arrays(network)
    with trainer.validating():
        assert_same_arrays(arrays(network), ema.state_dict())
    assert_same_arrays(arrays(network), own)
    with pytest.raises(RuntimeError), trainer.validating():
        raise RuntimeError
    assert_same_arrays(arrays(network), own)


def test_the_average_of_what_does_not_move_is_itself_to_the_last_bit():
    network = filled(TinyNet())
    ema = Ema(network, 0.999)
    for _ in range(20):
        ema.update()
    assert_same_arrays(ema.state_dict(), arrays(network))


@pytest.mark.parametrize("precision", [Precision("O1", "float16"), Precision("O1", "bfloat16"), Precision("O2")])
def test_mixed_precision_changes_nothing_on_a_cpu_and_says_nothing(precision):
    def result(**options):
        network = filled(TinyNet())
        run_epoch(make_trainer(network, **options), 2)
        return arrays(network)

    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        assert_same_arrays(result(precision=precision), result())


def test_dropout_is_drawn_from_seed_and_step():
    def result(seed, first_step=0):
        network = filled(TinyNet(dropout=0.5))
        trainer = make_trainer(network, seed=seed)
        trainer.progress.step = first_step
        paddle.seed(np.random.default_rng().integers(1000))
        network.train()
        return float(trainer.train_step([make_batch([0, 1])]))

    assert result(1) == result(1)
    assert result(1) != result(2)
    assert result(1) != result(1, first_step=1)


def test_the_rate_of_each_step_is_the_schedules():
    network = filled(TinyNet())
    schedule = Schedule("multistep", lr=1.0, steps_per_epoch=1, epochs=2, milestones=(1,), gamma=0.25)
    trainer = make_trainer(network, optimizer_of(network, lr=1.0), schedule=schedule)
    rates = []
    for k in range(2):
        trainer.train_step([make_batch([k])])
        rates.append(float(trainer.optimizer.get_lr()))
    assert rates == [1.0, 0.25]


def run_epoch(trainer, steps, on_step=lambda: None, meter=None):
    meter = meter or Meter(1, steps, 1, 1)
    meter.start_epoch(trainer.progress)
    trainer.train_epoch(iter([make_batch([2 * k, 2 * k + 1]) for k in range(steps)]), meter, on_step)
    return meter


def test_a_loss_that_is_no_number_names_the_step_and_its_photos():
    network = filled(TinyNet())
    trainer = make_trainer(network)

    def spoil():
        if trainer.progress.step == 2:
            network.to_maps.bias.set_value(np.full(3, np.nan, "float32"))

    meter = run_epoch(trainer, 4, spoil)
    with pytest.raises(
        UserError, match=r"loss is nan at epoch 1, step 3, with the photos photo_4\.jpg, photo_5\.jpg\."
    ):
        meter.check()


def test_losses_are_not_fetched_between_two_lines(monkeypatch):
    """A fetch makes a GPU's host wait. One that is no number is found at the next line, at most `log_steps` later."""
    network = filled(TinyNet())
    trainer, meter = make_trainer(network), Meter(1, 6, 1, 1)
    fetched, numpy = [], paddle.Tensor.numpy
    counted = {
        "numpy": lambda tensor: fetched.append(trainer.progress.step) or numpy(tensor),
        "__float__": lambda tensor: fetched.append(trainer.progress.step) or float(numpy(tensor)),
        "item": lambda tensor: fetched.append(trainer.progress.step) or numpy(tensor).item(),
    }
    for name, count in counted.items():
        monkeypatch.setattr(paddle.Tensor, name, count)

    def on_step():
        if trainer.progress.step % 3 == 0:
            meter.summary(0.1)
        if trainer.progress.step == 3:
            network.to_maps.bias.set_value(np.full(3, np.nan, "float32"))

    with pytest.raises(
        UserError, match=r"loss is nan at epoch 1, step 4, with the photos photo_6\.jpg, photo_7\.jpg\."
    ):
        run_epoch(trainer, 6, on_step, meter)
    assert fetched == [3, 6]


def test_a_remainder_that_fills_no_group_makes_no_step():
    trainer = make_trainer(filled(TinyNet()), accumulate=2)
    run_epoch(trainer, 5)
    assert (trainer.progress.step, trainer.progress.batch) == (2, 4)


def test_a_signal_ends_the_run_between_two_steps_and_a_second_ctrl_c_at_once():
    def fit(signals):
        trainer = make_trainer(filled(TinyNet()))
        asked = []

        def on_step():
            asked.append(trainer.progress.step)
            if len(asked) == 2:
                for number in signals:
                    os.kill(os.getpid(), number)

        def batches(epoch, first):
            return iter([make_batch([k]) for k in range(6)])

        trainer.fit(1, batches, Meter(1, 6, 1, 1), on_step, lambda: None)

    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    for signals in ([signal.SIGINT], [signal.SIGTERM], [signal.SIGINT, signal.SIGTERM], [signal.SIGTERM] * 2):
        with pytest.raises(Interrupted):
            fit(signals)
    with pytest.raises(KeyboardInterrupt):
        fit([signal.SIGINT, signal.SIGINT])
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers


def test_an_average_that_starts_at_resume_starts_from_the_weights():
    old = make_trainer(filled(TinyNet(), seed=1))
    old.train_step([make_batch([0])])
    network = filled(TinyNet(), seed=2)
    trainer = make_trainer(network, ema=Ema(network, 0.9))
    trainer.load_state(old.state({}), "state")
    assert_same_arrays(trainer.ema.state_dict(), arrays(old.network))


@pytest.mark.parametrize("spoil", [{"step": "3"}, {"step": -1}, {"nonsense": 1}])
def test_a_state_whose_progress_makes_no_sense_is_refused(spoil):
    old = make_trainer(filled(TinyNet()))
    state = old.state({})
    state["progress"].update(spoil)
    with pytest.raises(CheckpointError, match="damaged"):
        old.load_state(state, "state")
