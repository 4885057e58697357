"""From maps to joints as public NumPy code does it, written anew from its description.

quarter: Simple Baselines and the official HRNet, `lib/core/inference.py`: highest cell of all maps at once, a Python
    loop over the joints for the quarter offset, an affine matrix for each person back to the photo.
dark: mmpose, `gaussian_blur` and `refine_keypoints_dark` (0.x: `_gaussian_blur`, `_taylor`): OpenCV blurs one map after
    the other inside a border of zeros and each is scaled back to its height; logarithms of all cells; a Newton step for
    one joint after the other.
udp: mmpose 1.x, `refine_keypoints_dark_udp`: the same blur; derivatives and inverse matrices of all joints of a person.
"""

import cv2
import numpy as np

KERNEL = 11  # of the blur, in cells, for sigma 2
REFINEMENTS = ("quarter", "dark", "udp")


def decode(maps: np.ndarray, centers: np.ndarray, widths: np.ndarray, refine: str) -> tuple[np.ndarray, np.ndarray]:
    """Joints (B, K, 2) in photo pixels and scores (B, K) from maps (B, K, h, w).

    Args:
        maps: float32; not changed.
        centers, widths: (B, 2) and (B,) of the crops, in photo pixels.
        refine: one of REFINEMENTS.
    """
    people, joints, height, width = maps.shape
    flat = maps.reshape(people, joints, -1)
    place, scores = flat.argmax(2), flat.max(2)
    found = np.stack([place % width, place // width], 2).astype(np.float32) * (scores > 0)[..., None]
    {"quarter": add_quarters, "dark": add_dark, "udp": add_udp}[refine](found, maps)
    image = found.copy()
    for person in range(people):
        image_from_map = matrix_back(centers[person], widths[person], width, height)
        for joint in range(joints):
            image[person, joint] = np.dot(image_from_map, np.array([*found[person, joint], 1.0]))
    return image, scores


def add_quarters(found: np.ndarray, maps: np.ndarray) -> None:
    height, width = maps.shape[2:]
    for person, joint in np.ndindex(*found.shape[:2]):
        one = maps[person, joint]
        x, y = (int(np.floor(cell + 0.5)) for cell in found[person, joint])
        if 1 < x < width - 1 and 1 < y < height - 1:
            slope = np.array([one[y, x + 1] - one[y, x - 1], one[y + 1, x] - one[y - 1, x]])
            found[person, joint] += np.sign(slope) * 0.25


def add_dark(found: np.ndarray, maps: np.ndarray) -> None:
    logs = np.log(np.maximum(blurred(maps), 1e-10))
    height, width = maps.shape[2:]
    for person, joint in np.ndindex(*found.shape[:2]):
        x, y = found[person, joint].astype(int)
        if not (1 < x < width - 2 and 1 < y < height - 2):
            continue
        m = logs[person, joint]
        gradient = np.array([[0.5 * (m[y, x + 1] - m[y, x - 1])], [0.5 * (m[y + 1, x] - m[y - 1, x])]])
        dxx = 0.25 * (m[y, x + 2] - 2 * m[y, x] + m[y, x - 2])
        dyy = 0.25 * (m[y + 2, x] - 2 * m[y, x] + m[y - 2, x])
        dxy = 0.25 * (m[y + 1, x + 1] - m[y - 1, x + 1] - m[y + 1, x - 1] + m[y - 1, x - 1])
        if dxx * dyy - dxy**2 != 0:
            found[person, joint] -= (np.linalg.inv(np.array([[dxx, dxy], [dxy, dyy]])) @ gradient)[:, 0]


def add_udp(found: np.ndarray, maps: np.ndarray) -> None:
    logs = np.log(np.clip(blurred(maps), 0.001, 50))
    for person, one in enumerate(logs):
        m = np.pad(one, ((0, 0), (1, 1), (1, 1)), mode="edge")
        joint, (x, y) = np.arange(len(m)), found[person].astype(int).T + 1
        middle, left, right = m[joint, y, x], m[joint, y, x - 1], m[joint, y, x + 1]
        above, below = m[joint, y - 1, x], m[joint, y + 1, x]
        gradient = np.stack([0.5 * (right - left), 0.5 * (below - above)], -1)[..., None]
        dxx, dyy = right - 2 * middle + left, below - 2 * middle + above
        corners = m[joint, y + 1, x + 1] + m[joint, y - 1, x - 1]
        dxy = 0.5 * (corners - left - right - above - below + 2 * middle)
        hessian = np.stack([dxx, dxy, dxy, dyy], -1).reshape(-1, 2, 2) + np.finfo(np.float32).eps * np.eye(2)
        found[person] -= (np.linalg.inv(hessian) @ gradient)[..., 0]


def blurred(maps: np.ndarray) -> np.ndarray:
    """Maps (B, K, h, w) after the blur, each as high as it was."""
    soft, border = np.empty_like(maps), KERNEL // 2
    for at in np.ndindex(*maps.shape[:2]):
        framed = np.pad(maps[at], border)
        soft[at] = cv2.GaussianBlur(framed, (KERNEL, KERNEL), 0)[border:-border, border:-border]
        soft[at] *= maps[at].max() / soft[at].max()
    return soft


def matrix_back(center: np.ndarray, photo_width: float, width: int, height: int) -> np.ndarray:
    """(2, 3) photo pixels from cells, through three points that it maps: the middle, one above it, and a third."""
    cell, up = np.array([width / 2, height / 2]), np.array([0.0, -width / 2])
    scale = photo_width / width
    cells = np.float32([cell, cell + up, cell + up + [up[1], 0]])
    photo = np.float32([center, center + scale * up, center + scale * (up + [up[1], 0])])
    return cv2.getAffineTransform(cells, photo)
