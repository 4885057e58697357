"""The One-Euro filter against the paper's equations written out plainly, and what it does to jitter and lag."""

import math

import numpy as np
import pytest

from paddle_pose.tracking.one_euro import JointsFilter, OneEuro

SIZE = 80.0


def plain(values, times_s, settings, size):
    """Equations (1) to (4) for one coordinate, one number after the other."""
    filtered, speed = values[0], 0.0
    out = [filtered]
    for i in range(1, len(values)):
        period = times_s[i] - times_s[i - 1]

        def alpha(cutoff, period=period):
            tau = 1 / (2 * math.pi * cutoff)
            return 1 / (1 + tau / period)

        measured_speed = (values[i] - values[i - 1]) / period / size
        weight = alpha(settings.speed_cutoff_hz)
        speed = weight * measured_speed + (1 - weight) * speed
        weight = alpha(settings.min_cutoff_hz + settings.beta * abs(speed))
        filtered = weight * values[i] + (1 - weight) * filtered
        out.append(filtered)
    return np.array(out)


def run(joints, times_s, settings=OneEuro(), size=SIZE):  # noqa: B008 (it is frozen)
    """(N, K, 2) filtered."""
    one = JointsFilter(settings, joints.shape[1])
    return np.array([one(frame, float(time_s), size) for frame, time_s in zip(joints, times_s)])


@pytest.mark.parametrize("settings", [OneEuro(), OneEuro(0.3, 2.0, 4.0, 9.0)])
def test_equals_the_equations_of_the_paper(settings):
    rng = np.random.default_rng(0)
    times_s = np.cumsum(rng.uniform(0.005, 0.2, 60))
    x = np.cumsum(rng.normal(0, 5, 60))
    joints = np.stack([x, np.zeros(60)], axis=1)[:, None]
    np.testing.assert_allclose(run(joints, times_s, settings)[:, 0, 0], plain(x, times_s, settings, SIZE), atol=1e-9)


def test_joints_are_filtered_apart_and_turning_the_picture_turns_the_result():
    rng = np.random.default_rng(1)
    joints, times_s = rng.normal(0, 3, (40, 5, 2)).cumsum(axis=0), np.arange(40) / 25
    together = run(joints, times_s)
    for number in range(5):
        np.testing.assert_array_equal(together[:, number], run(joints[:, [number]], times_s)[:, 0])
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    np.testing.assert_allclose(run(joints @ turn, times_s), together @ turn, atol=1e-9)


def test_near_and_far_people_are_smoothed_alike():
    joints, times_s = np.random.default_rng(2).normal(0, 3, (40, 5, 2)).cumsum(axis=0), np.arange(40) / 25
    np.testing.assert_allclose(run(10 * joints, times_s, size=10 * SIZE), 10 * run(joints, times_s), atol=1e-9)


def still(rate, seconds, jitter, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(0, jitter, (round(rate * seconds), 17, 2)), np.arange(round(rate * seconds)) / rate


def test_jitter_at_rest_sinks_to_less_than_half():
    joints, times_s = still(25, 20, 0.01 * SIZE)
    out = run(joints, times_s)[25:]
    assert out.std() / joints.std() < 0.45
    assert np.diff(out, axis=0).std() / np.diff(joints, axis=0).std() < 0.25


def test_a_step_is_followed_in_a_fifth_of_a_second():
    times_s = np.arange(100) / 25
    joints = np.where(times_s < 1, 0.0, SIZE / 2)[:, None, None] * np.ones((1, 1, 2))
    out = run(joints, times_s)[:, 0, 0] / (SIZE / 2)
    at = {round(time_s, 2): value for time_s, value in zip(times_s, out)}
    assert at[1.2] > 0.9
    assert out.max() <= 1 + 1e-9  # no overshoot


@pytest.mark.parametrize("speed", [0.3, 1.0, 3.0])  # sizes a second; 1 is a brisk walk
def test_in_steady_motion_it_lags_by_less_than_it_says(speed):
    times_s = np.arange(100) / 25
    joints = (speed * SIZE * times_s)[:, None, None] * np.array([1.0, 0.0])
    lag = (joints - run(joints, times_s))[-1, 0, 0] / SIZE
    assert 0 < lag < 1 / (2 * math.pi * OneEuro().beta)


@pytest.mark.parametrize("rate", [12.5, 50.0, 100.0])
def test_a_movement_looks_alike_at_any_frame_rate(rate):
    def path(times_s):
        return SIZE * np.sin(2 * np.pi * 0.7 * times_s)[:, None, None] * np.ones((1, 1, 2))

    seconds = np.arange(0, 4, 0.08)  # common to all these rates
    usual = run(path(np.arange(0, 4, 0.04)), np.arange(0, 4, 0.04))[::2]
    times_s = np.arange(round(4 * rate)) / rate
    other = run(path(times_s), times_s)[:: round(0.08 * rate)]
    # The filter of first order with step T lags by T / 2 less than the continuous one; the speed here is up to 4.4.
    allowed = 4.4 * SIZE * abs(1 / rate - 0.04) / 2
    assert abs(other - usual)[round(0.5 / 0.08) : len(seconds)].max() < 1.2 * allowed


def test_jitter_sinks_alike_at_any_frame_rate():
    def left(rate):
        joints, times_s = still(rate, 20, 0.01 * SIZE * (rate / 25) ** 0.5)  # equal noise in each second
        return run(joints, times_s)[round(rate) :].std()

    assert left(50) == pytest.approx(left(25), rel=0.2)
    assert left(12.5) == pytest.approx(left(25), rel=0.2)


def test_a_missing_joint_stays_missing_and_disturbs_nobody():
    joints, times_s = np.random.default_rng(3).normal(0, 3, (40, 3, 2)).cumsum(axis=0), np.arange(40) / 25
    holes = joints.copy()
    holes[10:14, 1] = np.nan
    out, whole = run(holes, times_s), run(joints, times_s)
    np.testing.assert_array_equal(out[:, [0, 2]], whole[:, [0, 2]])
    assert np.isnan(out[10:14, 1]).all()
    assert np.isfinite(out[14:, 1]).all()
    seen = np.delete(np.arange(40), np.arange(10, 14))
    np.testing.assert_allclose(  # as if the frames in between had never been
        out[seen, 1], run(joints[seen][:, [1]], times_s[seen])[:, 0], atol=1e-9
    )


def test_after_a_long_gap_a_joint_begins_anew():
    joints = np.array([[[0.0, 0.0]], [[10.0, 0.0]], [[500.0, 7.0]], [[500.0, 7.0]]])
    out = run(joints, np.array([0.0, 0.04, 0.04 + OneEuro().longest_gap_s + 0.01, 0.6]))
    np.testing.assert_array_equal(out[2], joints[2])
    np.testing.assert_array_equal(out[3], joints[3])  # no speed left either


def test_equal_times_do_not_break_it():
    joints = np.array([[[0.0, 0.0]], [[10.0, 0.0]], [[10.0, 0.0]]])
    assert np.isfinite(run(joints, np.array([1.0, 1.0, 1.0]))).all()
