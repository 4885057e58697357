"""Who is who: people who come, go, cross, are missed, found twice; and a made video of ten seconds."""

import functools
import tracemalloc

import numpy as np
import pytest

from paddle_pose.frames import FramePoses
from paddle_pose.samples import FoundPeople
from paddle_pose.skeletons import COCO_17, MPII_16
from paddle_pose.synthetic.body import JOINTS
from paddle_pose.synthetic.clip import Clip, ClipRecipe
from paddle_pose.tracking.tracker import PeopleTracker

RATE = 25
BODY = np.random.default_rng(0).uniform(0, 1, (17, 2)) * (50, 150)  # joints of somebody 150 pixels tall


def found(joints_xy, scores=0.8, boxes=None):
    joints_xy = np.reshape(np.asarray(joints_xy, float), (-1, 17, 2))
    joint_scores = np.isfinite(joints_xy).all(axis=2) * scores
    return FramePoses(FoundPeople(joints_xy, joint_scores, joint_scores.mean(axis=1)), boxes)


def at(*places):
    """People with the same pose at these places."""
    return found([BODY + place for place in places])


def track(frames, rate=RATE, **settings):
    """Ids of each frame, as lists."""
    tracker = PeopleTracker(COCO_17, **settings)
    return [tracker(poses, index / rate).ids.tolist() for index, poses in enumerate(frames)]


def test_people_keep_their_numbers_whatever_their_order():
    frames = [
        at((i, 0), (300 - i, 0))[:] if False else at(*[(i, 0), (300 - i, 0)][:: 1 if i % 2 else -1]) for i in range(9)
    ]
    assert track(frames) == [[1, 2] if i % 2 == 0 else [2, 1] for i in range(9)]


@pytest.mark.parametrize("rate", [10, 25, 60])
def test_two_who_cross_keep_their_numbers(rate):
    """They walk through each other at a height a second in all, 20 pixels apart in y; no pose tells them apart."""
    noise = np.random.default_rng(1)
    frames = []
    for index in range(2 * rate):
        x = 150 * (index / rate - 1) / 2
        frames.append(found(np.stack([BODY + (x, 0), BODY + (-x, 20)]) + noise.normal(0, 1.5, (2, 17, 2))))
    assert all(ids == [1, 2] for ids in track(frames, rate))


def test_one_who_is_hidden_while_crossing_is_known_again():
    """The one behind is not found for 0.3 s, as if seen by a network."""
    frames = []
    for index in range(50):
        x = 75 * (index / 25 - 1)
        both = [(x, 0), (-x, 10)]
        frames.append(at(both[0]) if 21 <= index < 29 else at(*both))
    ids = track(frames)
    assert all(each == [1, 2] for each in ids if len(each) == 2)
    assert all(each == [1] for each in ids if len(each) == 1)


def test_who_comes_gets_the_next_number_and_no_number_is_given_twice():
    frames = [at((0, 0))] * 5 + [at((0, 0), (400, 0))] * 5 + [at((400, 0))] * 30 + [at((400, 0), (0, 0))] * 5
    ids = track(frames)
    assert ids == [[1]] * 5 + [[1, 2]] * 5 + [[2]] * 30 + [[2, 3]] * 5  # away for longer than a second


@pytest.mark.parametrize("rate", [5, 25, 100])
def test_a_gap_is_measured_in_seconds(rate):
    short, long = round(0.8 * rate), round(1.4 * rate)
    frames = [at((0, 0))] * rate + [at()] * short + [at((0, 0))] * rate + [at()] * long + [at((0, 0))]
    ids = track(frames, rate)
    assert ids[rate : rate + short] == [[]] * short
    assert ids[rate + short] == [1]
    assert ids[-1] == [2]


def test_a_slow_video_is_tracked_from_frame_to_frame():
    assert track([at((i, 0)) for i in range(6)], rate=0.5) == [[1]] * 6


def test_after_a_cut_nobody_is_taken_for_another():
    frames = [at((0, 0), (300, 0))] * 20 + [at((150, 400), (600, 0))] * 20
    assert track(frames)[19:] == [[1, 2]] + [[3, 4]] * 20


def test_a_double_find_does_not_take_a_number_over():
    rng = np.random.default_rng(2)
    frames = []
    for index in range(100):
        people = [BODY + (index, 0) + rng.normal(0, 1, (17, 2))]
        people += [BODY + (index, 0) + rng.normal(0, 1, (17, 2))] if index % 7 == 6 else []
        frames.append(found(people))
    ids = track(frames)
    assert all(1 in each for each in ids)
    assert all(each == [1] for each in ids if len(each) == 1)


def test_a_person_found_in_pieces_goes_on_under_its_number():
    """As a bottom-up network may have it while somebody is half hidden: legs and trunk, then all of it again."""
    legs, trunk = BODY.copy(), BODY.copy()
    legs[:11], trunk[11:] = np.nan, np.nan
    whole, pieces = found([BODY]), found([legs, trunk])
    ids = track([whole] * 20 + [pieces] * 5 + [whole] * 5)
    assert all(1 in each for each in ids[20:25])
    assert ids[25:] == [[1]] * 5


def test_few_joints_are_matched_by_boxes():
    """Two joints in common say too little; a detector's boxes still tell."""
    frames = []
    for index in range(10):
        people = np.full((2, 17, 2), np.nan)
        hidden = slice(0, 10) if index % 2 else slice(8, 17)
        people[0, hidden], people[1, hidden] = BODY[hidden], BODY[hidden] + (100, 0)
        frames.append(found(people, boxes=np.array([[0.0, 0, 50, 150], [100, 0, 50, 150]])))
    assert track(frames) == [[1, 2]] * 10


def test_joints_of_low_score_do_not_lead_astray():
    rng, frames = np.random.default_rng(3), []
    for _ in range(10):
        people = np.stack([BODY, BODY + (100, 0)])
        people[:, 8:] = rng.uniform(0, 400, (2, 9, 2))
        scores = np.full((2, 17), 0.9)
        scores[:, 8:] = 0.04
        frames.append(FramePoses(FoundPeople(people, scores, np.ones(2))))
    assert track(frames) == [[1, 2]] * 10
    low = [FramePoses(FoundPeople(BODY[None], np.full((1, 17), 0.04), np.ones(1)))] * 3
    assert track(low) == [[1]] * 3  # there are no better ones


def test_somebody_without_any_joint_gets_a_number_and_breaks_nothing():
    nothing = np.full((17, 2), np.nan)
    ids = track([found([BODY]), found([nothing]), found([BODY]), found([BODY, nothing])])
    assert ids == [[1], [2], [1], [1, 3]]


def test_another_video_begins_with_new_people():
    tracker = PeopleTracker(COCO_17)
    assert [tracker(at((0, 0)), time_s).ids.tolist() for time_s in (0.0, 0.04, 0.0)] == [[1], [1], [2]]


def test_without_smoothing_the_poses_are_as_they_were_and_all_else_is_kept():
    poses = found(np.stack([BODY, BODY + (100, 0)]), boxes=np.array([[0.0, 0, 50, 150], [100, 0, 50, 150]]))
    tracker = PeopleTracker(COCO_17, smooth=None)
    for time_s in (0.0, 0.04):
        out = tracker(poses, time_s)
        np.testing.assert_array_equal(out.people.joints_xy, poses.people.joints_xy)
        assert out.people.scores is poses.people.scores
        assert out.boxes_image is poses.boxes_image
        assert out.ids.dtype == np.int64


def test_many_frames_need_no_more_memory_than_a_few():
    rng, tracker = np.random.default_rng(4), PeopleTracker(COCO_17)

    def play(start, end):
        for index in range(start, end):  # somebody new every time, besides one who stays; each 0.5 s
            tracker(at((0, 0), tuple(rng.uniform(300, 90_000, 2))), index / 2)

    play(0, 50)
    tracemalloc.start()
    play(50, 100)
    before = tracemalloc.get_traced_memory()[0]
    play(100, 600)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 25_000  # bytes; 50 a person


@functools.lru_cache
def everything(seed):
    clip = Clip(ClipRecipe(seconds=10, people=3, seed=seed, image_size=256, frame_rate=RATE))
    return np.array([[body.joints_image() for body in clip.bodies(index)] for index in range(clip.recipe.num_frames)])


def truth_of(seed, skeleton):
    """(N, 3, K, 2) joints of a made video of ten seconds."""
    return everything(seed)[:, :, [JOINTS.index(name) for name in skeleton.joints]]


def seen_badly(truth, rng, rate):
    """For each frame the joints (in any order of people) and who they are: noise of 1 % of the height, one joint in ten
    missing, and each person missing for up to 0.3 s about every four seconds."""
    away_s = np.zeros(3)
    for people in truth:
        away_s = np.maximum(away_s - 1 / rate, 0)
        away_s[(away_s == 0) & (rng.random(3) < 0.25 / rate)] = rng.uniform(0.1, 0.3)
        heights = np.ptp(people[..., 1], axis=1)
        joints = people + rng.normal(0, 0.01, people.shape) * heights[:, None, None]
        joints[rng.random(joints.shape[:2]) < 0.1] = np.nan
        who = rng.permutation(np.flatnonzero(away_s == 0))
        yield joints[who], who


@pytest.mark.parametrize("skeleton", [COCO_17, MPII_16], ids=lambda skeleton: skeleton.name)
@pytest.mark.parametrize("seed", range(3))
def test_in_a_made_video_of_ten_seconds_nobody_changes_the_number(seed, skeleton):
    truth = truth_of(seed, skeleton)
    middle = truth.mean(axis=2)[..., 0]
    assert (np.diff(np.sign(middle[:, [0, 0, 1]] - middle[:, [1, 2, 2]]), axis=0) != 0).sum() >= 3  # they cross
    tracker, numbers, switches = PeopleTracker(skeleton), {}, 0
    for index, (joints, who) in enumerate(seen_badly(truth, np.random.default_rng(seed), RATE)):
        scores = np.isfinite(joints).all(axis=2) * 0.8
        ids = tracker(FramePoses(FoundPeople(joints, scores, scores.mean(axis=1))), index / RATE).ids
        switches += sum(numbers.setdefault(person, number) != number for person, number in zip(who, ids.tolist()))
    assert switches == 0
    assert sorted(numbers.values()) == [1, 2, 3]


def test_in_a_made_video_smoothing_halves_the_jitter_and_lags_by_little():
    truth = truth_of(0, COCO_17)
    noisy = truth + np.random.default_rng(0).normal(0, 1.2, truth.shape)  # pixels: 1 % of the height
    tracker = PeopleTracker(COCO_17)
    outs = [tracker(found(people), index / RATE) for index, people in enumerate(noisy)]
    assert all(out.ids.tolist() == [1, 2, 3] for out in outs)
    smooth = np.array([out.people.joints_xy for out in outs])[RATE:]
    tracker = PeopleTracker(COCO_17)
    clean = np.array([tracker(found(people), index / RATE).people.joints_xy for index, people in enumerate(truth)])
    lags = np.linalg.norm(clean - truth, axis=-1)[RATE:]
    assert np.percentile(lags, 95) < 2.5  # pixels; the people are 110 to 140 tall
    assert lags.max() < 6.5
    truth, noisy = truth[RATE:], noisy[RATE:]

    def trembling(joints):
        return np.diff(joints, n=2, axis=0).std()

    assert trembling(smooth) < 0.5 * trembling(noisy)
    without = np.median(np.linalg.norm(noisy - truth, axis=-1))
    assert np.median(np.linalg.norm(smooth - truth, axis=-1)) < 0.9 * without  # nearer the truth in spite of the lag
