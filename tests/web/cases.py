"""What the tests of the demo share: photos of known content, a predictor that finds what it is told."""

import json
import struct
import zlib

import cv2
import numpy as np

from paddle_pose.frames import FramePoses, Maps
from paddle_pose.samples import FoundPeople
from paddle_pose.skeletons import MPII_16
from paddle_pose.web.models import Choice, Models

GPS = b"GPSLatitude 52.5200"  # stands for a place in a photo's Exif data: it must come back nowhere
JOINTS_IMAGE = np.stack([20 + 5 * np.arange(16), 30 + 4 * np.arange(16)], axis=1).astype(np.float64)
SCORES = np.linspace(0.25, 1.0, 16)  # 0.05 apart: 14 of them are 0.35 or more


def picture(width: int = 120, height: int = 100) -> np.ndarray:
    """(H, W, 3) RGB, blue on the left, grey on the right."""
    image = np.full((height, width, 3), 128, np.uint8)
    image[:, : width // 2] = (0, 0, 200)
    return image


def jpeg(image: np.ndarray, orientation: int = 1) -> bytes:
    """A JPEG file with Exif data: an orientation, and a place."""
    entry = struct.pack(">HHI2H", 0x0112, 3, 1, orientation, 0) + struct.pack(">HHII", 0x010E, 2, len(GPS), 38)
    exif = b"Exif\0\0" + b"MM\0*" + struct.pack(">IH", 8, 2) + entry + struct.pack(">I", 0) + GPS
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    content = cv2.imencode(".jpg", image[:, :, ::-1])[1].tobytes()
    return content[:2] + segment + content[2:]


def png_that_says(width: int, height: int) -> bytes:
    """A complete PNG file of a few bytes whose header promises this size."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 9)) + chunk(b"IEND", b"")
    )


class Finding:
    """A predictor that finds `people` times JOINTS_IMAGE, and remembers what it was asked."""

    skeleton = MPII_16

    def __init__(self, people: int = 1, maps: bool = True, fields: bool = False) -> None:
        self._people, self._maps, self._fields = people, maps, fields
        self.photos = []

    def __call__(self, photo: np.ndarray) -> FramePoses:
        self.photos.append(photo)
        joints = np.repeat(JOINTS_IMAGE[None], self._people, axis=0)
        found = FoundPeople(joints, np.repeat(SCORES[None], self._people, axis=0), np.full(self._people, 0.75))
        return FramePoses(found, maps=self._some_maps() if self._maps else None)

    def _some_maps(self) -> Maps:
        joints = np.zeros((1, 16, 25, 30), np.float32)
        joints[:, :, 12, 8] = 1  # photo pixel (32, 48)
        fields = np.zeros((1, 2 * len(MPII_16.limbs), 25, 30), np.float32)
        fields[:, 0, 12, 8] = 1
        return Maps(joints, np.array([[[4.0, 0, 0], [0, 4, 0]]]), fields if self._fields else None)


def models_of(tmp_path, **predictors) -> Models:
    """A choice among predictors, each shown on `picture()`."""
    example = tmp_path / "example.png"
    cv2.imwrite(str(example), picture()[:, :, ::-1])
    return Models([Choice(name, lambda found=found: found, example) for name, found in predictors.items()])


def keypoints(coco: str) -> np.ndarray:
    """(P, K, 3) of COCO's results."""
    return np.array([entry["keypoints"] for entry in json.loads(coco)]).reshape(-1, 16, 3)
