"""A part that is frozen for some epochs: what moves when, the new optimiser, resuming before and after the border."""

import numpy as np
import pytest
from engine_cases import TinyNet, arrays, assert_same_arrays, build_tiny, filled, make_batch

from paddle_pose.engine.meter import Meter
from paddle_pose.errors import CheckpointError, ConfigError

FROZEN, EPOCHS, STEPS = 2, 4, 2


def trainer_of(freeze_epochs=FROZEN, freeze=("first", "bn"), **train):
    network = filled(TinyNet(batch_norm=True))
    return build_tiny(network, steps=STEPS, freeze=freeze, freeze_epochs=freeze_epochs, epochs=EPOCHS, **train)


def batches(epoch, first):
    return iter([make_batch([2 * k, 2 * k + 1]) for k in range(epoch * STEPS + first, (epoch + 1) * STEPS)])


def fit(trainer, epochs=EPOCHS, on_step=lambda: None, on_epoch=lambda: None):
    trainer.fit(epochs, batches, Meter(EPOCHS, STEPS, 1, 1), on_step, on_epoch)
    return trainer


def moved(before, after):
    return {name.split(".")[0] for name in before if not np.array_equal(before[name], after[name])}


def test_the_frozen_part_and_its_statistics_move_from_the_border_on():
    trainer = trainer_of()
    ends = [arrays(trainer.network)]
    fit(trainer, on_epoch=lambda: ends.append(arrays(trainer.network)))
    found = [moved(*pair) for pair in zip(ends, ends[1:])]
    assert found == [{"second", "to_maps"}] * FROZEN + [{"first", "bn", "second", "to_maps"}] * (EPOCHS - FROZEN)


def test_without_freeze_epochs_the_part_stays_frozen_to_the_end():
    trainer = trainer_of(freeze_epochs=None)
    before = arrays(trainer.network)
    assert moved(before, arrays(fit(trainer).network)) == {"second", "to_maps"}


def test_the_border_is_two_runs_the_second_with_a_new_optimiser():
    whole = arrays(fit(trainer_of()).network)
    first = fit(trainer_of(freeze_epochs=None), FROZEN)
    second = trainer_of(freeze_epochs=None, freeze=())
    second.network.set_state_dict(first.network.state_dict())
    second.progress = first.progress
    assert_same_arrays(arrays(fit(second).network), whole)

    kept = trainer_of(freeze_epochs=None, freeze=())  # and the momentum of the first half would have mattered
    kept.load_state(first.state({}), "state")
    kept.network.clear_gradients()
    assert moved(whole, arrays(fit(kept).network))


@pytest.mark.parametrize("step", [1, FROZEN * STEPS, FROZEN * STEPS + 1, EPOCHS * STEPS - 1])
@pytest.mark.parametrize("ema_decay", [None, 0.7])
def test_a_run_that_is_resumed_anywhere_ends_with_the_same_weights(step, ema_decay):
    whole, saved = trainer_of(ema_decay=ema_decay), {}

    def on_step():
        if whole.progress.step == step:
            saved.update(whole.state({}))

    fit(whole, on_step=on_step)
    resumed = trainer_of(ema_decay=ema_decay)
    resumed.load_state(saved, "state")
    assert_same_state(fit(resumed).state({}), whole.state({}))


@pytest.mark.parametrize("epochs", [FROZEN, FROZEN + 1])
def test_a_run_that_ended_at_or_after_the_border_can_be_made_longer(epochs):
    whole, short = fit(trainer_of()), fit(trainer_of(), epochs)
    longer = trainer_of()
    longer.load_state(short.state({}), "state")
    assert_same_state(fit(longer).state({}), whole.state({}))


def assert_same_state(left, right):
    for part in ("network", "optimizer"):
        assert_same_arrays(left[part], right[part])
    assert (left["ema"] is None) == (right["ema"] is None)
    if left["ema"]:
        assert_same_arrays(left["ema"], right["ema"])
    assert [left[part] for part in ("progress", "schedule", "thawed")] == [
        right[part] for part in ("progress", "schedule", "thawed")
    ]


def test_the_plateau_observes_from_the_border_on():
    trainer = trainer_of()
    rates = []

    def on_epoch():
        trainer.observe(1.0)  # never better: each observed epoch after the first halves the rate
        rates.append(trainer.schedule.lr(0))

    fit(trainer, on_epoch=on_epoch)
    assert rates == [0.05, 0.05, 0.05, 0.025]  # the third epoch's value is the first that it sees


def test_a_state_from_before_this_setting_loads():
    state = fit(trainer_of(freeze_epochs=None), 1).state({})
    del state["thawed"]
    resumed = trainer_of()
    resumed.load_state(state, "state")
    assert_same_arrays(arrays(fit(resumed).network), arrays(fit(trainer_of()).network))


def test_a_thawed_run_is_not_resumed_frozen():
    state = fit(trainer_of()).state({})
    with pytest.raises(CheckpointError, match="was it changed"):
        trainer_of(freeze_epochs=None).load_state(state, "state")


def test_freeze_epochs_alone_is_refused():
    with pytest.raises(ConfigError, match="train.*freeze_epochs=2, but nothing is frozen"):
        trainer_of(freeze=())


def test_nothing_that_was_no_weight_is_thawed():
    """Running statistics lie among a network's parameters in Paddle."""
    names = {name for name, p in fit(trainer_of()).network.named_parameters() if p.stop_gradient}
    assert names == {name for name, p in TinyNet(batch_norm=True).named_parameters() if p.stop_gradient}
    assert names == {"bn._mean", "bn._variance"}
