import numpy as np
import pytest
from synthetic_cases import upright

from paddle_pose.skeletons import MPII_16
from paddle_pose.synthetic.body import JOINTS
from paddle_pose.synthetic.canvas import PARTS_PER_PERSON, THING, Canvas, Paint, Part
from paddle_pose.synthetic.clothes import draw_outfit
from paddle_pose.synthetic.scene import photo_rng, render_photo
from paddle_pose.synthetic.tailor import Tailor
from paddle_pose.synthetic.visibility import visible_joints

LIMB_JOINTS = [
    JOINTS.index(f"{s}_{n}") for s in ("left", "right") for n in ("elbow", "wrist", "knee", "ankle", "shoulder", "hip")
]


def paint(*bodies):
    canvas = Canvas(np.full((120, 120, 3), 100, np.float32), np.zeros(2))
    for number, body in enumerate(bodies):
        outfit = draw_outfit(np.random.default_rng(3))
        canvas.paint_person(number, Tailor(body, outfit).parts(), body.height)
    return canvas


def cover(canvas, xy, radius):
    canvas.paint(Part("thing", xy[None], np.array([radius]), Paint(np.zeros(3)), 0.0), THING, 1.0)


def seen(canvas, person, body):
    return dict(zip(JOINTS, visible_joints(canvas, person, body)))


@pytest.fixture(scope="module")
def photos():
    return [render_photo(photo_rng(7, index), image_size=128) for index in range(40)]


def test_same_seed_and_index_give_the_same_photo_and_others_do_not(photos):
    again, people = render_photo(photo_rng(7, 5), image_size=128)
    np.testing.assert_array_equal(again, photos[5][0])
    np.testing.assert_array_equal(people[-1].joints_image, photos[5][1][-1].joints_image)
    for rng in (photo_rng(8, 5), photo_rng(7, 6)):
        assert not np.array_equal(render_photo(rng, image_size=128)[1][-1].joints_image, people[-1].joints_image)


def test_photos_are_rgb_bytes_with_the_asked_longer_side(photos):
    for image, people in photos:
        assert image.dtype == np.uint8
        assert image.shape[2] == 3
        assert max(image.shape[:2]) == 128
        assert sum(person.is_main for person in people) == 1
        assert 1 <= sum(not person.in_crowd for person in people) <= 4


def test_a_visible_joints_pixel_shows_its_person(photos):
    checked = 0
    for _, people in photos:
        for person in people:
            for joint in np.flatnonzero(person.visible[LIMB_JOINTS]):
                x, y = np.round(person.joints_image[LIMB_JOINTS[joint]]).astype(int)
                assert person.mask[y, x]
                checked += 1
    assert checked > 300


def test_masks_of_a_photo_do_not_overlap(photos):
    for _, people in photos:
        assert np.sum([person.mask for person in people], axis=0).max() <= 1


def test_joints_outside_the_photo_are_neither_labelled_nor_visible(photos):
    outside = 0
    for image, people in photos:
        last = np.array(image.shape[1::-1]) - 1
        for person in people:
            out = (person.joints_image < -0.5).any(1) | (person.joints_image > last + 0.5).any(1)
            outside += out.sum()
            assert not person.labelled[out].any()
            assert not (person.visible & ~person.labelled).any()
            order = [JOINTS.index(name) for name in MPII_16.joints]
            np.testing.assert_array_equal(person.labelled[order], ~out[order])
    assert outside > 20


def test_some_joints_are_hidden_and_most_are_not(photos):
    labelled = np.concatenate([p.labelled for _, people in photos for p in people if p.is_main])
    visible = np.concatenate([p.visible for _, people in photos for p in people if p.is_main])
    assert 0.6 < visible.sum() / labelled.sum() < 0.97


def test_a_whole_person_lies_in_the_photo():
    for index in range(30):
        _, people = render_photo(photo_rng(1, index), image_size=96, whole=True)
        assert people[-1].of(MPII_16)[1].all()


def test_all_limb_joints_of_an_upright_person_are_visible_from_the_front():
    body = upright(left_arm_out=30, right_arm_out=30)
    visible = seen(paint(body), 0, body)
    assert all(visible[JOINTS[number]] for number in LIMB_JOINTS)
    assert visible["nose"]
    assert visible["head_top"]


def test_from_behind_the_face_is_hidden_and_from_the_side_the_far_arm():
    back = upright(yaw=np.pi)
    visible = seen(paint(back), 0, back)
    assert not visible["nose"]
    assert not visible["left_eye"]
    assert visible["left_knee"]
    side = upright(yaw=np.pi / 2)  # right side towards us
    visible = seen(paint(side), 0, side)
    assert visible["right_elbow"]
    assert visible["right_shoulder"]
    assert not visible["left_elbow"]
    assert not visible["left_shoulder"]


def test_what_stands_in_front_hides_a_joint():
    body = upright(left_arm_out=30)
    canvas = paint(body)
    assert seen(canvas, 0, body)["left_elbow"]
    cover(canvas, body.points["left_elbow"][:2], 4)
    visible = seen(canvas, 0, body)
    assert not visible["left_elbow"]
    assert visible["left_wrist"]


def test_another_person_in_front_hides_joints():
    far = upright()
    near = far.placed(101.0, np.array([50.0, 60.0]))
    canvas = paint(far, near)
    hidden, shown = seen(canvas, 0, far), seen(canvas, 1, near)
    assert not any(hidden.values())
    assert shown["left_knee"]


def test_each_painted_forearm_reaches_from_its_elbow_to_its_wrist():
    body = upright(left_arm_out=90, right_arm_out=60)
    canvas = paint(body)
    for side in ("left", "right"):
        ys, xs = np.nonzero(canvas.shown == PARTS_PER_PERSON + canvas.names.index(f"{side}_forearm"))
        along = body.points[f"{side}_wrist"][:2] - body.points[f"{side}_elbow"][:2]
        length = np.hypot(*along)
        t = (np.stack([xs, ys], 1) - body.points[f"{side}_elbow"][:2]) @ along / length**2
        assert abs(t.min()) * length < 4.5  # a radius of 3 and soft edges
        assert 0 < (t.max() - 1) * length < 10  # the hand
        across = (np.stack([xs, ys], 1) - body.points[f"{side}_elbow"][:2]) @ (-along[1], along[0]) / length
        assert abs(across.mean()) < 0.3  # painted on the bone, not beside it
