import math

import pytest

from paddle_pose.engine.schedule import Schedule


def rates(schedule, steps):
    return [schedule.lr(step) for step in steps]


def test_multistep_drops_at_the_first_step_of_each_milestone_epoch():
    schedule = Schedule("multistep", lr=1.0, steps_per_epoch=10, epochs=6, milestones=(2, 4), gamma=0.1)
    assert rates(schedule, [0, 19]) == [1.0, 1.0]
    assert rates(schedule, [20, 39, 40, 59]) == pytest.approx([0.1, 0.1, 0.01, 0.01])


def test_warmup_lies_on_top_and_moves_no_milestone():
    schedule = Schedule(
        "multistep",
        lr=2.0,
        steps_per_epoch=3,
        epochs=4,
        milestones=(2,),
        gamma=0.5,
        warmup_steps=5,
        warmup_ratio=0.2,
    )
    # 0.2, 0.4, 0.6, 0.8, 1.0 of lr over steps 0 to 4 (as mmengine's LinearLR with end=5), then the schedule
    assert rates(schedule, range(5)) == pytest.approx([0.4, 0.8, 1.2, 1.6, 2.0])
    assert rates(schedule, [5, 6, 11]) == pytest.approx([2.0, 1.0, 1.0])


def test_cosine_is_at_half_in_the_middle_and_ends_at_min_lr():
    schedule = Schedule("cosine", lr=1.0, steps_per_epoch=10, epochs=2, min_lr=0.2)
    # 0.2 + 0.8 * (1 + cos(pi * share)) / 2 at shares 0, 1/4, 1/2, 1 and beyond
    expected = [1.0, 0.2 + 0.4 * (1 + math.sqrt(0.5)), 0.6, 0.2, 0.2]
    assert rates(schedule, [0, 5, 10, 20, 30]) == pytest.approx(expected)


def test_cosine_with_warmup_keeps_its_length():
    schedule = Schedule("cosine", lr=1.0, steps_per_epoch=10, epochs=2, warmup_steps=3, warmup_ratio=0.5)
    cosine = [0.5 * (1 + math.cos(math.pi * step / 20)) for step in range(20)]
    expected = [0.5 * cosine[0], 0.75 * cosine[1], *cosine[2:]]
    assert rates(schedule, range(20)) == pytest.approx(expected)


def test_plateau_waits_patience_epochs_then_cools_down():
    schedule = Schedule(
        "plateau", lr=1.0, steps_per_epoch=1, epochs=20, gamma=0.5, patience=1, threshold=0.1, cooldown=2, min_lr=0.2
    )
    seen = []
    # best 10; 10.9 is under 10 * 1.1 and bad number 1, 10 number 2 > patience: halved; two epochs of cooling,
    # then two bad ones again: 0.25; again: 0.125, floored at 0.2
    for value in [10, 10.9, 10, 10, 10, 10, 10, 10, 10, 10, 10]:
        schedule.observe(value)
        seen.append(schedule.lr(0))
    assert seen == [1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.2]


def test_plateau_starts_anew_at_an_improvement():
    schedule = Schedule("plateau", lr=1.0, steps_per_epoch=1, epochs=9, gamma=0.5, patience=1)
    for value in [10, 9, 11, 9, 12, 9]:  # never two bad epochs in a row
        schedule.observe(value)
    assert schedule.lr(0) == 1.0
    schedule.observe(9)
    assert schedule.lr(0) == 0.5


def test_plateau_takes_a_value_that_is_no_number_for_a_bad_epoch():
    schedule = Schedule("plateau", lr=1.0, steps_per_epoch=1, epochs=9, gamma=0.5, patience=0)
    for value in [math.nan, 10, 11]:
        schedule.observe(value)
    assert schedule.lr(0) == 0.5
    assert schedule.state_dict()["best"] == 11


def test_plateau_on_a_loss_is_pytorchs():
    """Rates of torch 2.13: ReduceLROnPlateau("min", factor=0.8, patience=5, threshold=1e-4, cooldown=3) from 1.0."""
    schedule = Schedule("plateau", lr=1.0, steps_per_epoch=1, epochs=75, gamma=0.8, patience=5, cooldown=3)
    losses = [3.0, 2.0, 1.5, 1.49986]  # the last is not better by 1e-4 of 1.5, and the first of six bad ones
    losses += [1.6, 1.7, 1.8, 1.9, 1.55, 1.51, 1.52, 1.53, 1.54, 1.55, 1.56, 1.57, 1.2, 1.3]
    losses += [math.nan, 1.3, 1.3, 1.3, 1.3, 1.3, 1.3, 1.3, 1.3, math.inf, 1.3, 1.3, 1.3, 1.3, 1.19, 1.18]
    seen = []
    for loss in losses:
        schedule.observe(-loss)
        seen.append(schedule.lr(0))
    assert seen == pytest.approx([1.0] * 8 + [0.8] * 14 + [0.64] * 9 + [0.512] * 3, abs=1e-12)


def test_plateau_takes_an_infinite_loss_for_a_bad_epoch():
    schedule = Schedule("plateau", lr=1.0, steps_per_epoch=1, epochs=9, gamma=0.5, patience=1)
    for loss in [math.inf, math.inf]:
        schedule.observe(-loss)
    assert schedule.lr(0) == 0.5


@pytest.mark.parametrize("kind", ["constant", "multistep", "cosine", "plateau"])
def test_a_restored_schedule_goes_on_the_same(kind):
    def new():
        return Schedule(kind, lr=1.0, steps_per_epoch=2, epochs=8, milestones=(3,), gamma=0.5, patience=1, cooldown=1)

    whole, first, values = new(), new(), [5, 4, 4, 4, 4, 6, 5, 5]
    for value in values:
        whole.observe(value)
    for value in values[:3]:
        first.observe(value)
    second = new()
    second.load_state_dict(first.state_dict())
    for value in values[3:]:
        second.observe(value)
    assert rates(second, range(16)) == rates(whole, range(16))
    assert second.state_dict() == whole.state_dict()


def test_a_state_without_an_entry_is_refused():
    with pytest.raises(KeyError):
        Schedule("plateau", lr=1.0, steps_per_epoch=1, epochs=1).load_state_dict({"best": 3})
