"""Small datasets of whole photos."""

from coco_cases import ARM_3, FILE, write_dataset

from paddle_pose.data.coco_photos import COCOPhotos


def photos(root, file=FILE, split="valid", **arguments):
    return COCOPhotos(str(write_dataset(root, file)), split, skeleton=ARM_3, **arguments)
