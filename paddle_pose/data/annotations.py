"""What the single-person datasets share: people in a few arrays, and the photos they are in.

Letters: N people, K joints. Arrays instead of lists of dicts, so that a worker process costs no copy of a
hundred thousand Python objects.
"""

import os
from dataclasses import dataclass, fields

import numpy as np

from paddle_pose.data.photos import photo_path
from paddle_pose.errors import DataError
from paddle_pose.samples import Sample, Truth
from paddle_pose.skeletons import Skeleton


@dataclass(frozen=True)
class People:
    """The annotated people of one split, coordinates in 0-based photo pixels.

    Args:
        photo_names: (N,) str, file name inside the photo folder.
        joints_image: (N, K, 2) float64, finite; anything where not labelled.
        labelled: (N, K) bool.
        visible: (N, K) bool, labelled and not occluded.
        center_image_xy: (N, 2) float64, centre of the part to be cropped.
        size_image_wh: (N, 2) float64, size of that part, padding included.
    """

    photo_names: np.ndarray
    joints_image: np.ndarray
    labelled: np.ndarray
    visible: np.ndarray
    center_image_xy: np.ndarray
    size_image_wh: np.ndarray

    def __len__(self) -> int:
        return len(self.photo_names)

    def checked(self, source: str) -> "People":
        """Itself; DataError naming `source` and a person if it is empty or holds an impossible number."""
        if not len(self):
            raise DataError(f"{source} holds no people; choose another split or range, or prepare the file again")
        for field in fields(self)[1:]:
            bad = ~np.isfinite(getattr(self, field.name).reshape(len(self), -1)).all(axis=1)
            self._refuse(bad, source, f"{field.name} that is not a finite number")
        self._refuse(~(self.size_image_wh > 0).all(axis=1), source, "a region without area")
        for name in dict.fromkeys(self.photo_names.tolist()):
            photo_path(source, name)
        return self

    def _refuse(self, bad: np.ndarray, source: str, what: str) -> None:
        if bad.any():
            row = int(np.argmax(bad))
            raise DataError(f"{source}: person {row} ({self.photo_names[row]}) has {what}; correct the file")


class PhotoPeople:
    """A dataset of one person per sample: `interfaces.Dataset` over `People`, with a check of the photos.

    Args:
        people: the annotations.
        photo_folder: folder of the photos; it may be absent until a photo is read.
        skeleton: names of the K joints.
        protocol: one line for reports: which people, which regions.
        how_to_get_photos: end of the message when photos are missing.
    """

    def __init__(
        self, people: People, photo_folder: str, skeleton: Skeleton, protocol: str, how_to_get_photos: str
    ) -> None:
        self.people = people
        self.photo_folder = photo_folder
        self.skeleton = skeleton
        self.protocol = protocol
        names, self._photo = np.unique(people.photo_names, return_inverse=True)  # (N,) number of each person's photo
        self.num_images = len(names)
        self._by_photo = np.argsort(self._photo, kind="stable")
        self._first_of_photo = np.searchsorted(self._photo[self._by_photo], np.arange(len(names) + 1))
        self._how_to_get_photos = how_to_get_photos

    def __len__(self) -> int:
        return len(self.people)

    def sample(self, index: int) -> Sample:
        """Person `index`, 0 <= index < N."""
        people = self.people
        others = self.people_of_photo(self._photo[index])
        others = others[others != index]
        return Sample(
            index=index,
            image_path=photo_path(self.photo_folder, str(people.photo_names[index])),
            joints_image=people.joints_image[index].copy(),
            labelled=people.labelled[index].copy(),
            visible=people.visible[index].copy(),
            center_image_xy=people.center_image_xy[index].copy(),
            size_image_wh=people.size_image_wh[index].copy(),
            others_image=people.joints_image[others],
            others_labelled=people.labelled[others],
        )

    def people_of_photo(self, photo: int) -> np.ndarray:
        """Indices of the people in photo number `photo`, of those that show somebody, by name; ascending."""
        return self._by_photo[self._first_of_photo[photo] : self._first_of_photo[photo + 1]]

    def people_by_photo(self) -> list[np.ndarray]:
        """`people_of_photo` of every photo that shows somebody."""
        return [self.people_of_photo(photo) for photo in range(len(self._first_of_photo) - 1)]

    def truth(self) -> Truth:
        """Positions and labels as annotated; no head sizes."""
        return Truth(joints_image=self.people.joints_image.copy(), labelled=self.people.labelled.copy())

    def identity(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What makes this split this one: names of photos, joints (N, K, 2) and labelled (N, K)."""
        return self.people.photo_names, self.people.joints_image, self.people.labelled

    def check_photos(self, max_missing: float = 0.0) -> None:
        """DataError unless the photos of the split are there (by name; the files are not opened).

        Args:
            max_missing: share of them that may be missing.
        """
        check_files(self.photo_folder, self.people.photo_names, self._how_to_get_photos, max_missing)


def check_files(folder: str, names: np.ndarray, how_to_get: str, max_missing: float) -> None:
    """DataError if more than a share `max_missing` of the photos (N,) `names` is not in `folder`."""
    needed = {str(name) for name in np.unique(names)}
    missing = sorted(needed - _files_of(folder, needed))
    if len(missing) > max_missing * len(needed):
        raise DataError(
            f"photos are missing: {folder} holds {len(needed) - len(missing)} of "
            f"{len(needed)} (not there: {', '.join(missing[:3])}{', ...' if len(missing) > 3 else ''}); {how_to_get}"
        )


def _files_of(folder: str, names: set[str]) -> set[str]:
    """Which of `names` are in `folder`: one directory listing, unless names carry a subfolder."""
    try:
        present = set(os.listdir(folder))
    except OSError:
        return set()
    nested = {name for name in names if "/" in name and os.path.isfile(os.path.join(folder, name))}
    return (present & names) | nested


def check_split(dataset: str, split: str) -> None:
    """DataError unless `split` is 'train' or 'valid'."""
    if split not in ("train", "valid"):
        raise DataError(f"{dataset} has no split {split!r}; use 'train' or 'valid'")


def load_mat(path: str, how_to_get: str, **options: bool) -> dict:
    """The variables of a MATLAB 5 file (options: scipy's); DataError if it is missing or not such a file."""
    from scipy.io import loadmat

    if not os.path.isfile(path):
        raise DataError(f"annotation file {path} is missing; {how_to_get}")
    try:
        return loadmat(path, **options)
    except Exception as error:  # scipy raises a dozen kinds for a damaged file
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path} is not a readable MATLAB file ({reason}); {how_to_get}") from None


def mat_array(variables: dict, name: str, shape: tuple, path: str) -> np.ndarray:
    """A numeric variable as float64; DataError unless it has this shape (a letter matches any length)."""
    if name not in variables:
        found = ", ".join(key for key in variables if not key.startswith("_")) or "nothing"
        raise DataError(f"{path} has no variable {name!r}, it has {found}; use the file of the dataset's release")
    array = variables[name]
    if array.dtype.kind not in "fiub" or not _has_shape(array, shape):
        wanted = " x ".join(str(length) for length in shape)
        raise DataError(f"{path}: {name} should be numbers of shape {wanted}, but has shape {array.shape}")
    return array.astype(np.float64)


def _has_shape(array: np.ndarray, shape: tuple) -> bool:
    return array.ndim == len(shape) and all(isinstance(n, str) or n == m for n, m in zip(shape, array.shape))
