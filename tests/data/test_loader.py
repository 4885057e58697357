"""The same batches whatever the workers, errors that arrive, and threads that end."""

import threading
import time

import numpy as np
import pytest

from paddle_pose.data.augment import HRNetAugmentation
from paddle_pose.data.crops import CropMaker
from paddle_pose.data.loader import BadPhotos, Loader, evaluation_order, training_order
from paddle_pose.data.mpii import MPII
from paddle_pose.errors import DataError
from paddle_pose.samples import Batch, Crop


class Maker:
    """Crops whose pixels are (index, a draw); `bad` raise DataError, `buggy` ValueError."""

    def __init__(self, count=40, bad=(), buggy=(), delay=0.0):
        self.count, self.bad, self.buggy, self.delay = count, set(bad), set(buggy), delay
        self.threads = set()

    def __len__(self):
        return self.count

    def __call__(self, index, rng):
        self.threads.add(threading.get_ident())
        if self.delay:
            time.sleep(self.delay * (index % 3))  # so that workers overtake each other
        if index in self.bad:
            raise DataError(f"photo {index}.jpg is missing")
        if index in self.buggy:
            raise ValueError(f"a bug at {index}")
        image = np.full((4, 4, 3), index, np.uint8)
        joints = rng.random((2, 2)).astype(np.float32)
        gain = np.full(3, index, np.float32)
        matrix, path = np.full((2, 3), float(index)), f"{index}.jpg"
        return Crop(image, joints, np.ones(2, np.float32), matrix, gain, image_path=path)


def same(a: Batch, b: Batch) -> None:
    for name in ("images", "joints_crop", "weight", "crop_from_image", "color_gain", "index"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert a.image_paths == b.image_paths


@pytest.fixture(autouse=True)
def threads_end():
    """Every test must leave as many threads as it found."""
    before = set(threading.enumerate())
    yield
    left = set(threading.enumerate()) - before
    assert not left, f"left behind: {left}"


class TestOrders:
    def test_an_epoch_is_a_permutation_without_its_remainder(self):
        order = training_order(103, 10, seed=1, epoch=2)
        assert order.shape == (10, 10)
        assert len(set(order.ravel())) == 100
        assert set(order.ravel()) <= set(range(103))
        assert order.ravel().tolist() != sorted(order.ravel().tolist())

    def test_it_depends_on_seed_and_epoch_alone(self):
        first = training_order(50, 5, 1, 2)
        np.testing.assert_array_equal(first, training_order(50, 5, 1, 2))
        for seed, epoch in ((1, 3), (2, 2), (2, 1)):
            assert (first != training_order(50, 5, seed, epoch)).any()

    @pytest.mark.parametrize("ranks", [2, 3])
    def test_processes_share_the_batch_of_one_process(self, ranks):
        whole = training_order(101, 4 * ranks, 5, 6)
        parts = [training_order(101, 4, 5, 6, rank, ranks) for rank in range(ranks)]
        assert {part.shape for part in parts} == {(len(whole), 4)}
        for step, expected in enumerate(whole):
            np.testing.assert_array_equal(np.concatenate([part[step] for part in parts]), expected)
        assert len(np.unique(np.concatenate(parts))) == whole.size  # disjoint

    def test_fewer_people_than_a_batch(self):
        assert len(training_order(7, 8, 0, 0)) == 0
        assert len(training_order(15, 8, 0, 0, 0, 2)) == 0

    @pytest.mark.parametrize(("count", "size", "ranks"), [(10, 3, 1), (10, 3, 3), (2, 4, 3), (0, 4, 2), (12, 4, 3)])
    def test_evaluation_covers_each_person_once(self, count, size, ranks):
        batches = [b for rank in range(ranks) for b in evaluation_order(count, size, rank, ranks)]
        assert sorted(i for batch in batches for i in batch) == list(range(count))
        assert all(1 <= len(batch) <= size for batch in batches)


class TestBatches:
    def test_contents_and_order(self):
        batches = list(Loader(Maker(), workers=2, seed=0).batches([np.array([3, 1]), np.array([2])]))
        assert [batch.index.tolist() for batch in batches] == [[3, 1], [2]]
        assert batches[0].images[:, 0, 0, 0].tolist() == [3, 1]
        assert batches[0].image_paths == ("3.jpg", "1.jpg")
        assert batches[0].crop_from_image[:, 0, 0].tolist() == [3, 1]
        assert (len(batches[0]), len(batches[1])) == (2, 1)

    @pytest.mark.parametrize("workers", [1, 3])
    def test_the_same_whatever_the_workers(self, workers):
        order = training_order(40, 4, 7, 1)
        alone = list(Loader(Maker(), 0, seed=7).batches(order, epoch=1))
        others = list(Loader(Maker(delay=0.002), workers, seed=7).batches(order, epoch=1))
        assert len(alone) == len(others) == 10
        for a, b in zip(alone, others):
            same(a, b)

    @pytest.mark.parametrize("first", [1, 4, 9])
    def test_going_on_in_the_middle_gives_the_same(self, first):
        order = training_order(40, 4, 7, 1)
        whole = list(Loader(Maker(), 2, seed=7).batches(order, epoch=1))
        rest = list(Loader(Maker(), 2, seed=7).batches(order[first:], epoch=1))
        assert len(rest) == 10 - first
        for a, b in zip(whole[first:], rest):
            same(a, b)

    def test_draws_change_with_seed_epoch_and_person(self):
        def drawn(seed, epoch, index):
            return next(Loader(Maker(), 0, seed).batches([np.array([index])], epoch)).joints_crop[0, 0, 0]

        assert len({drawn(*key) for key in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))}) == 4
        assert drawn(1, 2, 3) == drawn(1, 2, 3)

    def test_workers_are_threads_and_none_is_one_of_the_caller(self):
        maker = Maker(delay=0.001)
        list(Loader(maker, 3, 0).batches(evaluation_order(40, 2)))
        assert threading.get_ident() not in maker.threads
        assert 1 < len(maker.threads) <= 3
        maker = Maker()
        list(Loader(maker, 0, 0).batches(evaluation_order(4, 2)))
        assert maker.threads == {threading.get_ident()}

    def test_only_a_few_batches_are_made_ahead(self):
        """Memory: two batches per worker, not the epoch."""
        asked = []

        def order():
            for k in range(40):
                asked.append(k)
                yield np.array([k])

        batches = Loader(Maker(), 2, 0).batches(order())
        next(batches)
        assert len(asked) == 4
        batches.close()

    def test_an_empty_order(self):
        assert list(Loader(Maker(), 2, 0).batches([])) == []
        assert list(Loader(Maker(), 0, 0).batches(training_order(3, 4, 0, 0))) == []

    def test_a_loop_that_is_left(self):
        """`threads_end` looks."""
        for batch in Loader(Maker(delay=0.001), 3, 0).batches(evaluation_order(40, 2)):
            assert len(batch) == 2
            break

    @pytest.mark.parametrize("workers", [0, 1, 3])
    @pytest.mark.parametrize("make", [Maker(bad=[9]), Maker(buggy=[9])], ids=["bad photo", "bug"])
    def test_an_error_reaches_the_caller_in_its_turn(self, make, workers):
        seen = []
        with pytest.raises((DataError, ValueError), match="9"):
            seen.extend(b.index.tolist() for b in Loader(make, workers, 0).batches(evaluation_order(40, 4)))
        assert seen == [[0, 1, 2, 3], [4, 5, 6, 7]]

    def test_an_error_of_the_caller_ends_the_threads(self):
        with pytest.raises(KeyboardInterrupt):
            interrupted(Loader(Maker(delay=0.001), 3, 0))


def interrupted(loader):
    for _ in loader.batches(evaluation_order(40, 2)):
        raise KeyboardInterrupt


class TestBadPhotos:
    def test_the_next_readable_person_takes_the_place(self):
        said = []
        bad_photos = BadPhotos(40, limit=0.5, warn=said.append)
        loader = Loader(Maker(bad=[3, 4, 39]), 2, 0, bad_photos)
        batch = next(loader.batches([np.array([2, 3, 39])]))
        assert batch.index.tolist() == [2, 5, 0]
        assert batch.image_paths == ("2.jpg", "5.jpg", "0.jpg")
        assert batch.images[:, 0, 0, 0].tolist() == [2, 5, 0]
        assert bad_photos.indices == {3, 4, 39}
        assert len(said) == 3
        assert "3.jpg" in said[0]

    def test_a_photo_is_counted_and_named_once(self):
        """Over epochs, and when workers meet it at the same moment."""
        said = []
        bad_photos = BadPhotos(40, limit=0.04, warn=lambda line: (time.sleep(0.001), said.append(line)))
        loader = Loader(Maker(bad=[5]), 3, 0, bad_photos)
        for epoch in range(4):
            list(loader.batches([np.array([5])] * 6, epoch))
        assert (bad_photos.indices, len(said)) == ({5}, 1)

    def test_workers_that_meet_a_photo_at_the_same_moment_name_it_once(self):
        class Slow(set):
            """Gives every thread time to look before one of them adds."""

            def __contains__(self, index):
                found = super().__contains__(index)
                time.sleep(0.02)
                return found

        said = []
        bad_photos = BadPhotos(40, limit=1.0, warn=said.append)
        bad_photos.indices = Slow()
        threads = [threading.Thread(target=bad_photos.add, args=(5, DataError("x"))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(said) == 1

    @pytest.mark.parametrize("workers", [0, 2])
    def test_too_many_stop_the_training(self, workers):
        """A twentieth of 40 is two: the third is too many."""
        two, three = (Maker(bad=range(k)) for k in (2, 3))
        order = evaluation_order(40, 4)
        assert len(list(Loader(two, workers, 0, BadPhotos(40, 0.05, print)).batches(order))) == 10
        with pytest.raises(DataError, match=r"3 of 40 .*max_bad_photos=0\.05.*jpg is missing"):
            list(Loader(three, workers, 0, BadPhotos(40, 0.05, print)).batches(order))

    def test_a_limit_of_none(self):
        with pytest.raises(DataError, match="1 of 40"):
            list(Loader(Maker(bad=[7]), 0, 0, BadPhotos(40, 0.0, print)).batches([np.array([7])]))

    def test_not_one_is_readable(self):
        with pytest.raises(DataError, match="not one photo"):
            list(Loader(Maker(4, bad=range(4)), 0, 0, BadPhotos(4, 1.0, print)).batches([np.array([1])]))

    @pytest.mark.parametrize("workers", [0, 2])
    def test_a_bug_is_not_a_bad_photo(self, workers):
        bad_photos = BadPhotos(40, 1.0, print)
        with pytest.raises(ValueError, match="a bug at 7"):
            list(Loader(Maker(buggy=[7]), workers, 0, bad_photos).batches([np.array([7])]))
        assert not bad_photos.indices

    def test_a_substitute_has_its_own_draws(self):
        """So that the same person is drawn alike whether it comes by itself or in another's place."""
        loader = Loader(Maker(bad=[3]), 0, 0, BadPhotos(40, 1.0, print))
        by_itself, in_place = (next(loader.batches([np.array([k])])) for k in (4, 3))
        same(by_itself, in_place)


def test_a_rendered_dataset(synthetic_mpii):
    dataset = MPII(str(synthetic_mpii), "train")
    make = CropMaker(dataset, (64, 64), False, HRNetAugmentation(color_gain=(0.6, 1.4)))
    order = training_order(len(dataset), 6, 3, 1)
    alone = list(Loader(make, 0, 3).batches(order, 1))
    for a, b in zip(alone, Loader(make, 3, 3).batches(order, 1)):
        same(a, b)
    images = np.concatenate([batch.images for batch in alone])
    assert images.dtype == np.uint8
    assert images.std() > 10
    assert {batch.joints_crop.dtype for batch in alone} == {np.dtype(np.float32)}


def test_evaluation_names_the_photo_that_cannot_be_read(synthetic_mpii, tmp_path):
    (tmp_path / "annot").symlink_to(synthetic_mpii / "annot")
    (tmp_path / "images").mkdir()
    for photo in (synthetic_mpii / "images").iterdir():
        (tmp_path / "images" / photo.name).symlink_to(photo)
    dataset = MPII(str(tmp_path), "valid")
    broken = tmp_path / "images" / dataset.sample(3).image_path.rsplit("/", 1)[1]
    half = broken.read_bytes()
    broken.unlink()
    broken.write_bytes(half[: len(half) // 2])
    make = CropMaker(dataset, (64, 64), pixel_centres=False)
    with pytest.raises(DataError, match=broken.name):
        list(Loader(make, 2, 0).batches(evaluation_order(len(dataset), 4)))
    bad_photos = BadPhotos(len(dataset), 0.9, print)
    indices = [b.index for b in Loader(make, 2, 0, bad_photos).batches(evaluation_order(len(dataset), 4))]
    assert 3 not in np.concatenate(indices)
    assert 3 in bad_photos.indices
