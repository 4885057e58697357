"""People in photos of 1280x720 for data_path.py: rendered, or MPII's."""

from dataclasses import replace
from pathlib import Path

PHOTO_WH = (1280, 720)


def real_people(root: str):
    """People of MPII's valid split whose photo is there and 1280x720."""
    import numpy as np

    from paddle_pose.data.mpii import MPII
    from paddle_pose.data.photos import photo_size_wh

    dataset = MPII(root, "valid")
    paths = [dataset.sample(person).image_path for person in range(len(dataset))]
    chosen = [k for k, path in enumerate(paths) if Path(path).is_file() and photo_size_wh(path) == PHOTO_WH]
    if not chosen:
        raise SystemExit(f"{root} has no 1280x720 photo of the valid split")
    return people_of(dataset, np.array(chosen), dataset.photo_folder)


def people_of(dataset, chosen, folder: str):
    """Some of a dataset's people, their photos in `folder`."""
    from paddle_pose.data.annotations import People, PhotoPeople

    kept = {name: value[chosen] for name, value in vars(dataset.people).items()}
    return PhotoPeople(People(**kept), folder, dataset.skeleton, "1280x720", "")


def rendered_people(folder: Path, count: int = 24):
    """Rendered photos 1280 pixels wide, cut to 720 lines around a person, as JPEGs of quality 90."""
    import cv2
    import numpy as np

    from paddle_pose.data.mpii import MPII
    from paddle_pose.data.photos import read_photo
    from paddle_pose.synthetic.recipe import Recipe
    from paddle_pose.synthetic.write_mpii import write_mpii

    write_mpii(str(folder / "rendered"), Recipe(2 * count, 1, seed=5, image_size=PHOTO_WH[0]), workers=2)
    dataset, people, names = MPII(str(folder / "rendered"), "train"), [], []
    joints_image, center_image_xy = dataset.people.joints_image.copy(), dataset.people.center_image_xy.copy()
    (folder / "photos").mkdir()
    for person in range(len(dataset)):
        photo = read_photo(dataset.sample(person).image_path)
        if photo.shape[1] != PHOTO_WH[0] or len(people) == count:
            continue
        top = int(np.clip(center_image_xy[person, 1] - PHOTO_WH[1] / 2, 0, photo.shape[0] - PHOTO_WH[1]))
        joints_image[person, :, 1] -= top
        center_image_xy[person, 1] -= top
        people.append(person)
        names.append(f"{person}.jpg")
        pixels = photo[top : top + PHOTO_WH[1], :, ::-1]
        cv2.imwrite(str(folder / "photos" / names[-1]), pixels, [cv2.IMWRITE_JPEG_QUALITY, 90])
    chosen = people_of(dataset, np.array(people), str(folder / "photos"))
    moved = {"joints_image": joints_image[people], "center_image_xy": center_image_xy[people]}
    chosen.people = replace(chosen.people, photo_names=np.array(names), **moved)
    return chosen


def describe(dataset) -> str:
    """Which people these are."""
    import numpy as np

    samples = [dataset.sample(person) for person in range(len(dataset))]
    size = np.mean([Path(sample.image_path).stat().st_size for sample in samples]) / 1e3
    least, median, most = np.percentile([sample.size_image_wh.max() for sample in samples], [0, 50, 100])
    return (
        f"{len(samples)} people in photos of {PHOTO_WH[0]}x{PHOTO_WH[1]}, {size:.0f} KB on average; regions of "
        f"{least:.0f} to {most:.0f} pixels, median {median:.0f}"
    )
