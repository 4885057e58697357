"""A packed cache gives the crops of the photo files, needs none of these, and refuses what it was not made for."""

import errno
import os
import shutil

import cv2
import numpy as np
import pytest

from paddle_pose import geometry
from paddle_pose.data.annotations import People, PhotoPeople
from paddle_pose.data.augment import HRNetAugmentation, MMPoseAugmentation, Reach
from paddle_pose.data.coco import COCO
from paddle_pose.data.crops import CropMaker, view_matrix, whole_photo
from paddle_pose.data.loader import Loader, training_order
from paddle_pose.data.lsp import LSP, LSPET
from paddle_pose.data.mpii import MPII
from paddle_pose.data.multi_scale import MultiScaleCrops
from paddle_pose.data.packed import PREAMBLE, PackedPhotos
from paddle_pose.data.packing import Order, write_pack
from paddle_pose.data.reached import base_views, reached_box, turned_size
from paddle_pose.errors import DataError
from paddle_pose.skeletons import LSP_14
from paddle_pose.synthetic.recipe import Recipe
from paddle_pose.synthetic.write_coco import write_coco
from paddle_pose.synthetic.write_lsp import write_lsp, write_lspet
from paddle_pose.synthetic.write_mpii import write_mpii

WIDTH, HEIGHT, INPUT_WH = 320, 240, (48, 64)
AUGMENTATIONS = {
    "none": None,
    "hrnet": HRNetAugmentation(half_body_probability=0.5),
    "mmpose": MMPoseAugmentation(half_body_probability=0.5, scale_range=(0.75, 1.25)),
}


def photo_people(folder, centers, size=40.0, photos=None, count=3) -> PhotoPeople:
    """Noise with people of about `size` pixels around the given points; `photos`: the number of each one's photo."""
    rng = np.random.default_rng(0)
    folder.mkdir(exist_ok=True)
    for number in range(count):
        noise = cv2.GaussianBlur(rng.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8), (0, 0), 0.7)
        cv2.imwrite(str(folder / f"{number}.png"), noise)
    centers = np.array(centers, np.float64)
    names = np.array([f"{number}.png" for number in (range(len(centers)) if photos is None else photos)])
    joints = centers[:, None] + rng.uniform(-size / 2, size / 2, (len(centers), 14, 2))
    labelled = rng.random((len(centers), 14)) < 0.9
    sizes = np.stack([np.full(len(centers), size), np.full(len(centers), 1.3 * size)], axis=1)
    return PhotoPeople(People(names, joints, labelled, labelled, centers, sizes), str(folder), LSP_14, "noise", "")


@pytest.fixture
def noise(tmp_path):
    """Three people: in the middle, at an edge, beyond a corner."""
    return photo_people(tmp_path / "photos", [(160.3, 120.8), (4.0, 200.0), (-60.0, -70.0)])


def order_of(augmentation=None, kind="noise", split="train", **more) -> Order:
    return Order(kind, split, INPUT_WH, augmentation.reach if augmentation else Reach(), **more)


def packed(folder, dataset, order) -> PackedPhotos:
    path = folder / "photos.pack"
    write_pack(path, dataset, order, workers=2)
    return PackedPhotos(str(path), dataset, order.kind, order.split)


def crops(maker, turns=4) -> list:
    return [maker(k, np.random.default_rng((turn, k))) for turn in range(turns) for k in range(len(maker))]


def assert_same(ours, theirs):
    """Equal to within one grey level, which OpenCV's rounding leaves; everything else to the last bit."""
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs):
        difference = np.abs(a.image.astype(int) - b.image)
        assert difference.max() <= 1
        assert difference.mean() < 0.1
        for name in ("joints_crop", "weight", "crop_from_image", "color_gain", "others_crop", "others_weight"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name), name)


@pytest.mark.parametrize("pixel_centres", [False, True])
@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_crops_are_those_of_the_photos_and_need_none(noise, tmp_path, name, pixel_centres):
    augmentation = AUGMENTATIONS[name]
    pack = packed(tmp_path, noise, order_of(augmentation))
    wanted = crops(CropMaker(noise, INPUT_WH, pixel_centres, augmentation), 12)
    shutil.rmtree(noise.photo_folder)
    assert_same(crops(CropMaker(noise, INPUT_WH, pixel_centres, augmentation, pack), 12), wanted)
    assert os.path.getsize(pack.path) < 3 * WIDTH * HEIGHT  # of nine times as many bytes in the photos


WRITERS = {
    "MPII": (write_mpii, MPII, {}),
    "LSP": (write_lsp, LSP, {"train_range": (0, 6), "valid_range": (6, 9)}),
    "LSPET": (write_lspet, LSPET, {"train_range": (0, 6), "valid_range": (6, 9)}),
    "COCO": (write_coco, COCO, {}),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_every_kind_of_dataset(tmp_path, kind):
    write, kind_of, more = WRITERS[kind]
    write(str(tmp_path / "data"), Recipe(6, 3, seed=5, image_size=160))
    for split, augmentation in (("train", AUGMENTATIONS["hrnet"]), ("valid", None)):
        dataset = kind_of(str(tmp_path / "data"), split, **more)
        pack = packed(tmp_path, dataset, order_of(augmentation, kind, split))
        wanted = crops(CropMaker(dataset, INPUT_WH, False, augmentation))
        hidden = shutil.move(dataset.photo_folder, tmp_path / "hidden")
        again = kind_of(str(tmp_path / "data"), split, **more)  # as a new process would
        pack = PackedPhotos(pack.path, again, kind, split)
        assert_same(crops(CropMaker(again, INPUT_WH, False, augmentation, pack)), wanted)
        shutil.move(hidden, dataset.photo_folder)


def test_a_dataset_that_moved_is_the_same(noise, tmp_path):
    pack = packed(tmp_path, noise, order_of())
    moved = PhotoPeople(noise.people, str(tmp_path / "elsewhere" / "photos"), LSP_14, "noise", "")
    assert_same(
        crops(CropMaker(moved, INPUT_WH, False, read=PackedPhotos(pack.path, moved, "noise", "train"))),
        crops(CropMaker(noise, INPUT_WH, False)),
    )


@pytest.mark.parametrize("name", ["hrnet", "mmpose"])
def test_no_view_leaves_the_reach(noise, name):
    augmentation = AUGMENTATIONS[name]
    farthest = 0.0
    for person in range(len(noise)):
        sample = noise.sample(person)
        views = [augmentation.draw(np.random.default_rng(k), sample, LSP_14) for k in range(400)]
        bases = base_views(sample, LSP_14, augmentation.reach)
        assert len(bases) == 3
        box = reached_box(bases, augmentation.reach, INPUT_WH)
        for view in views:
            corners = np.array([[0, 0], [47, 0], [0, 63], [47, 63]])
            reached = geometry.apply(geometry.invert(view_matrix(view, INPUT_WH, True)), corners)
            assert (reached >= box[:2] - 1e-6).all()
            assert (reached <= box[2:] + 1e-6).all()
            farthest = max(farthest, (np.ptp(reached, axis=0) / (box[2:] - box[:2])).max())
    assert farthest > 0.85  # and it is not much larger than needed


def test_the_box_around_a_turning_rectangle():
    np.testing.assert_allclose(turned_size(np.array([3.0, 4.0]), 0.0), (3, 4))
    np.testing.assert_allclose(turned_size(np.array([3.0, 4.0]), 90.0), (5, 5))  # the diagonal
    turn = np.deg2rad(20)
    by_hand = (3 * np.cos(turn) + 4 * np.sin(turn), 4 * np.cos(turn) + 3 * np.sin(turn))
    np.testing.assert_allclose(turned_size(np.array([3.0, 4.0]), 20.0), by_hand)


def test_a_view_beyond_comes_from_the_photo(noise, tmp_path):
    pack = packed(tmp_path, noise, order_of())
    augmentation = AUGMENTATIONS["mmpose"]
    assert pack.covers(Reach(), INPUT_WH)
    assert pack.covers(Reach(), (96, 128))
    assert not pack.covers(Reach(), (64, 64))
    assert not pack.covers(augmentation.reach, INPUT_WH)
    makers = [CropMaker(noise, INPUT_WH, False, augmentation, read) for read in (pack, whole_photo)]
    assert_same(crops(makers[0]), crops(makers[1]))
    shutil.rmtree(noise.photo_folder)
    with pytest.raises(DataError, match=r"photos\.pack holds too little of the photo .*\.png is missing"):
        crops(CropMaker(noise, INPUT_WH, False, augmentation, pack), 20)


def test_several_scales(noise, tmp_path):
    pack = packed(tmp_path, noise, Order("noise", "train", INPUT_WH, Reach(1 / 1.2, 1 / 0.8)))
    wanted = crops(MultiScaleCrops(noise, INPUT_WH, False, (0.8, 1.0, 1.2)), 1)
    shutil.rmtree(noise.photo_folder)
    assert_same(crops(MultiScaleCrops(noise, INPUT_WH, False, (0.8, 1.0, 1.2), pack), 1), wanted)


def test_neighbours_share_pixels_and_others_do_not(tmp_path):
    near = photo_people(tmp_path / "near", [(100.0, 100), (110, 105), (90, 95)], photos=[0, 0, 0])
    far = photo_people(tmp_path / "far", [(40.0, 60), (280, 190), (50, 65)], photos=[0, 0, 0])
    parts = [write_pack(tmp_path / "x.pack", people, order_of(), 1).parts for people in (near, far)]
    assert parts == [1, 2]
    pack = PackedPhotos(str(tmp_path / "x.pack"), far, "noise", "train")
    assert_same(crops(CropMaker(far, INPUT_WH, False, read=pack)), crops(CropMaker(far, INPUT_WH, False)))


def test_reduced_photos_are_smaller_and_lie_where_they_were(tmp_path):
    people = photo_people(tmp_path / "photos", [(160.0, 120.0), (40.0, 50.0)], size=150.0)
    smooth = np.indices((HEIGHT, WIDTH)).transpose(1, 2, 0) * 255 / WIDTH
    for number in range(2):
        image = np.concatenate([smooth, smooth[..., :1]], axis=2).astype(np.uint8)
        cv2.imwrite(f"{people.photo_folder}/{number}.png", image)
    sizes = []
    for reduce in (False, True):
        pack = packed(tmp_path, people, order_of(reduce=reduce))
        sizes.append(os.path.getsize(pack.path))
    assert sizes[1] < sizes[0] / 8  # 3 x 3 pixels to one
    ours, theirs = (crops(CropMaker(people, INPUT_WH, False, read=read), 1) for read in (pack, whole_photo))
    for a, b in zip(ours, theirs):
        np.testing.assert_array_equal(a.crop_from_image, b.crop_from_image)
        difference = a.image.astype(float) - b.image
        assert np.abs(difference).max() < 255  # black begins at the edge of the photo, up to a pixel elsewhere
        assert np.median(np.abs(difference)) <= 1
        assert abs(np.median(difference)) <= 1


def test_threads_read_at_once(noise, tmp_path):
    pack = packed(tmp_path, noise, order_of(AUGMENTATIONS["hrnet"]))
    maker = CropMaker(noise, INPUT_WH, False, AUGMENTATIONS["hrnet"], pack)
    order = np.tile(training_order(3, 3, 0, 0), (20, 1))
    alone, together = (list(Loader(maker, workers, 0).batches(order)) for workers in (0, 4))
    for a, b in zip(alone, together):
        np.testing.assert_array_equal(a.images, b.images)


def test_a_photo_that_cannot_be_read_stays_one(noise, tmp_path):
    (tmp_path / "photos" / "1.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"1 of 3 photos .*1\.png"):
        write_pack(tmp_path / "x.pack", noise, order_of(), 1)
    assert os.listdir(tmp_path) == ["photos"]
    done = write_pack(tmp_path / "x.pack", noise, order_of(max_bad=0.4), 1)
    assert len(done.bad) == 1
    maker = CropMaker(noise, INPUT_WH, False, read=PackedPhotos(str(tmp_path / "x.pack"), noise, "noise", "train"))
    with pytest.raises(DataError, match=r"1\.png"):
        maker(1, np.random.default_rng(0))
    assert maker(0, np.random.default_rng(0)).image.any()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")])
def test_interrupted_writing_leaves_the_old_file(noise, tmp_path, error):
    path = tmp_path / "x.pack"
    path.write_bytes(b"old")

    def fail():
        raise error

    with pytest.raises((KeyboardInterrupt, DataError), match=r"^$|x\.pack: cannot be written \(No space left"):
        write_pack(path, noise, order_of(), 2, fail)
    assert sorted(os.listdir(tmp_path)) == ["photos", "x.pack"]
    assert path.read_bytes() == b"old"


def change(path, at, by=1):
    content = bytearray(path.read_bytes())
    content[at] = (content[at] + by) % 256
    path.write_bytes(bytes(content))


SPOILT = {
    "missing": (lambda path: path.unlink(), "cannot be read"),
    "empty": (lambda path: path.write_bytes(b""), "not a packed cache"),
    "foreign": (lambda path: path.write_bytes(b"\x93NUMPY" + bytes(200)), "not a packed cache"),
    "another version": (lambda path: change(path, 7), "not a packed cache of this version"),
    "cut off": (lambda path: path.write_bytes(path.read_bytes()[:-100]), "cut off"),
    "too long": (lambda path: path.write_bytes(path.read_bytes() + b"x"), "cut off or damaged"),
    "index": (lambda path: change(path, PREAMBLE.unpack(path.read_bytes()[:36])[1] + 20), "damaged in its index"),
    "description": (lambda path: change(path, -5), "damaged"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_file_is_refused(noise, tmp_path, name):
    spoil, words = SPOILT[name]
    packed(tmp_path, noise, order_of())
    spoil(tmp_path / "photos.pack")
    with pytest.raises(DataError, match=words) as caught:
        PackedPhotos(str(tmp_path / "photos.pack"), noise, "noise", "train")
    assert "photos.pack" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_damaged_pixels_are_seen_when_they_are_read(noise, tmp_path):
    pack = packed(tmp_path, noise, order_of())
    change(tmp_path / "photos.pack", PREAMBLE.size + 50)
    with pytest.raises(DataError, match=r"damaged at the pixels of 0\.png"):
        CropMaker(noise, INPUT_WH, False, read=pack)(0, np.random.default_rng(0))


def test_a_file_for_others_is_refused(noise, tmp_path):
    path = packed(tmp_path, noise, order_of()).path
    with pytest.raises(DataError, match="holds noise train, but noise valid is asked for"):
        PackedPhotos(path, noise, "noise", "valid")
    with pytest.raises(DataError, match="holds noise train, but MPII train is asked for"):
        PackedPhotos(path, noise, "MPII", "train")
    for centers in ([(160.3, 121.0), (4.0, 200.0), (-60.0, -70.0)], [(160.3, 120.8), (4.0, 200.0)]):
        with pytest.raises(DataError, match="made for other people or regions"):
            PackedPhotos(path, photo_people(tmp_path / "photos", centers), "noise", "train")
    with open(os.path.join(noise.photo_folder, "2.png"), "ab") as photo:
        photo.write(b"more")
    with pytest.raises(DataError, match=r"2\.png has changed since"):
        PackedPhotos(path, noise, "noise", "train")
