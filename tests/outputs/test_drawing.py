"""Pictures are checked where they are drawn."""

import numpy as np
import pytest
from output_cases import found, frame, nobody, people

from paddle_pose.errors import ConfigError
from paddle_pose.frames import Frame, FramePoses, Maps
from paddle_pose.outputs.drawing import Drawing
from paddle_pose.pose_colors import by_limb, by_side
from paddle_pose.skeletons import COCO_17, MPII_16

ELBOW, WRIST = MPII_16.index("left_elbow"), MPII_16.index("left_wrist")
ARM = MPII_16.limbs.index(("left_elbow", "left_wrist"))


def arm(at=((60, 150), (540, 150)), joint_scores=(1.0, 1.0), score=1.0):
    """One person of whom only the left forearm is found."""
    joints, scores = np.full((1, 16, 2), np.nan), np.zeros((1, 16))
    joints[0, [ELBOW, WRIST]] = at
    scores[0, [ELBOW, WRIST]] = joint_scores
    return found(joints, scores, [score])


def drawn(poses, **options):
    poses = poses if isinstance(poses, FramePoses) else FramePoses(poses)
    return Drawing(MPII_16, **options)(frame(hw=(300, 600)), poses)


def test_joints_and_limbs_in_the_limbs_colours():
    picture, colors = drawn(arm()), by_limb(MPII_16)
    assert tuple(picture[150, 60]) == colors.joints[ELBOW]
    assert tuple(picture[150, 540]) == colors.joints[WRIST]
    assert tuple(picture[150, 300]) == colors.limbs[ARM]
    assert picture[60].max() == picture[240].max() == 0


def test_colours_by_side_and_by_person():
    assert tuple(drawn(arm(), colors="side")[150, 300]) == by_side(MPII_16).limbs[ARM]
    ids = [FramePoses(arm(), ids=np.array([number])) for number in (1, 2, 2)]
    first, second, again = (tuple(drawn(poses, colors="person", show_ids=False)[150, 300]) for poses in ids)
    assert first != second
    assert second == again
    assert tuple(drawn(arm(), colors="person")[150, 300]) not in {first, (0, 0, 0)}  # the best person without ids: 0


def test_the_thresholds_themselves_are_enough():
    assert tuple(drawn(arm(joint_scores=(0.3, 0.3)), joint_threshold=0.3)[150, 300]) != (0, 0, 0)
    below = drawn(arm(joint_scores=(0.3, 0.29)), joint_threshold=0.3)
    assert tuple(below[150, 60]) != (0, 0, 0)
    assert below[150, 300:].max() == 0  # neither the wrist nor the limb to it
    assert drawn(arm(score=0.5), person_threshold=0.5).max() > 0
    assert drawn(arm(score=0.49), person_threshold=0.5).max() == 0


def test_the_best_person_is_on_top():
    two = found(np.repeat(arm().joints_xy, 2, axis=0), np.repeat(arm().joint_scores, 2, axis=0))
    poses = FramePoses(two, ids=np.array([7, 1]))
    one = FramePoses(arm(), ids=np.array([7]))
    picture = drawn(poses, colors="person", show_ids=False)
    np.testing.assert_array_equal(picture[150, 300], drawn(one, colors="person", show_ids=False)[150, 300])


def test_the_number_stands_above_a_tracked_person():
    with_number = drawn(FramePoses(arm(), ids=np.array([12])))
    without = drawn(FramePoses(arm(), ids=np.array([12])), show_ids=False)
    np.testing.assert_array_equal(drawn(arm()), without)  # nobody is tracked
    rows, columns = np.nonzero((with_number != without).any(axis=2))
    assert 100 < rows.min() < rows.max() < 150
    assert 20 < columns.min() < columns.max() < 100  # above the elbow: of two joints equally high, the first
    one = drawn(FramePoses(arm(), ids=np.array([1])))
    assert (one != with_number).any()


@pytest.mark.parametrize("at", [((0, 0), (10, 2)), ((599, 299), (590, 299)), ((-50, -80), (900, 50))])
def test_numbers_stay_in_the_picture(at):
    poses = FramePoses(arm(at), ids=np.array([123]))
    changed = (drawn(poses) != drawn(poses, show_ids=False)).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert rows.max() - rows.min() > 4
    assert columns.max() - columns.min() > 15


def test_lines_are_as_wide_as_people_are_large_but_never_wide_in_a_small_picture():
    def width(length):
        wide = frame(hw=(1200, 1200))
        picture = Drawing(MPII_16)(wide, FramePoses(arm(((20, 600), (20 + length, 600)))))
        return int((picture[:, 20 + length // 2] > 100).any(axis=1).sum())

    assert width(60) <= 3
    assert 6 <= width(420) <= 9
    assert width(1100) <= 10  # 1200 / 150
    assert int((drawn(arm())[:, 300] > 100).any(axis=1).sum()) <= 6  # 600 / 150


def test_nothing_is_changed_and_nobody_leaves_the_picture_as_it_is():
    image = np.random.default_rng(0).integers(0, 255, (100, 200, 3), np.uint8)
    picture_frame = Frame("photo.jpg", 0, image)
    before, some = image.copy(), people(3)
    Drawing(MPII_16)(picture_frame, FramePoses(some, ids=np.arange(1, 4)))
    np.testing.assert_array_equal(image, before)
    untouched = Drawing(MPII_16)(picture_frame, nobody())
    np.testing.assert_array_equal(untouched, before)
    assert not np.shares_memory(untouched, image)


@pytest.mark.parametrize("hw", [(1, 1), (1, 300), (300, 1)])
def test_pictures_of_a_pixel_and_of_a_line(hw):
    poses = FramePoses(people(2), ids=np.array([1, 2]))
    assert Drawing(MPII_16)(frame(hw=hw), poses).shape == (*hw, 3)


def test_an_overlay_needs_its_maps():
    maps = Maps(np.zeros((1, 16, 4, 4), np.float32), np.eye(2, 3)[None])
    with pytest.raises(ConfigError, match="overlay heatmaps: this network gives no maps of joints"):
        drawn(people(1), overlay="heatmaps")
    with pytest.raises(ConfigError, match="overlay fields: .* only OpenPose has"):
        drawn(FramePoses(people(1), maps=maps), overlay="fields")
    assert drawn(nobody(), overlay="heatmaps").max() == 0
    assert drawn(FramePoses(nobody().people, maps=maps), overlay="heatmaps").shape == (300, 600, 3)


def test_an_overlay_is_below_the_people():
    maps = Maps(np.ones((1, 16, 300, 600), np.float32), np.eye(2, 3)[None])
    picture = drawn(FramePoses(arm(), maps=maps), overlay="heatmaps")
    assert tuple(picture[150, 300]) == by_limb(MPII_16).limbs[ARM]
    assert picture[10, 10].min() > 100  # light yellow


def test_another_skeleton():
    picture = Drawing(COCO_17)(frame(), FramePoses(people(2, COCO_17)))
    assert picture.max() > 0
