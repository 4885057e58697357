"""Time from OpenPose's maps to people, beside two public Python implementations on the same maps.

Ours takes the network's own maps, the others enlarge them first; that is part of their work and told separately.
Their code is not part of this project. Fetch it and say where it lies:

    git clone https://github.com/tensorboy/pytorch_Realtime_Multi-Person_Pose_Estimation   # its lib/network/post.py
    git clone https://github.com/Daniil-Osokin/lightweight-human-pose-estimation.pytorch   # its modules/keypoints.py
    python -m benchmarks.grouping --tensorboy DIR --lightweight DIR

For each it also tells how many limbs of the drawn people come back whole, both ends within a cell.
"""

import argparse
import os
import sys
import time
import types
import warnings

from benchmarks.comparison import Comparison, print_table

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tests", "codecs"))  # crowds.py draws the people

STRIDE = 8
OURS = "ours"
LIMIT_MS = 3.0  # from maps to people, all in


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--people", type=int, default=10)
    flags.add_argument("--cells", type=int, default=46, help="width and height of the maps")
    flags.add_argument("--noise", type=float, default=0.0, help="standard deviation of noise on the maps")
    flags.add_argument("--repeat", type=int, default=100)
    flags.add_argument("--tensorboy", help="folder of its checkout")
    flags.add_argument("--lightweight", help="folder of its checkout")
    arguments = flags.parse_args()

    from paddle_pose import runtime

    runtime.prepare_environment()
    warnings.filterwarnings("ignore")
    import cv2
    import paddle

    cv2.setNumThreads(1)
    runtime.choose_device("cpu", 1)
    truth, maps = drawn_people(arguments)
    print(f"{arguments.people} people, {tuple(maps.shape)} maps, 1 thread, Paddle {paddle.__version__}")
    contestants = {OURS: our_steps()}
    if arguments.tensorboy:
        contestants["tensorboy"] = tensorboy_steps(arguments.tensorboy)
    if arguments.lightweight:
        contestants["lightweight"] = lightweight_steps(arguments.lightweight)
    seen = {name: report(name, *steps, maps, truth, arguments.repeat) for name, steps in contestants.items()}
    print_table(rows_of(seen, f"{arguments.people} people from maps"))
    if len(seen) == 1:
        print("nothing to compare with: see --help for the code to fetch")


def rows_of(seen: dict, what: str) -> list[Comparison]:
    """Ours against the limit, then beside each of the others; from `report` of each."""
    (clock, processor), others = seen[OURS], list(seen)[1:]
    rows = [Comparison(f"{what}, by the clock", clock, limit=LIMIT_MS)]
    rows += [Comparison(f"{what}, by the clock", clock, seen[name][0], name) for name in others]
    return rows + [Comparison(f"{what}, processor, best turn", processor, seen[name][1], name) for name in others]


def drawn_people(arguments: argparse.Namespace):
    """Joints (P, 18, 2) in cells, all of them visible, and the maps (1, 57, h, w) that a perfect network would give."""
    import numpy as np
    import paddle
    from crowds import crowd

    from paddle_pose.codecs.part_affinity import PartAffinity
    from paddle_pose.skeletons import OPENPOSE_18

    truth = crowd(3, arguments.people, (arguments.cells, arguments.cells), hidden=0.0)
    codec = PartAffinity(OPENPOSE_18.mirror, OPENPOSE_18, (STRIDE * arguments.cells,) * 2, STRIDE)
    joints = paddle.to_tensor((truth * STRIDE + (STRIDE - 1) / 2).astype(np.float32))[None]
    labels = paddle.ones(joints.shape[:3])
    others = (joints[:, 1:], labels[:, 1:]) if arguments.people > 1 else None
    maps = codec.encode(joints[:, 0], labels[:, 0], others)[0]
    noise = np.random.default_rng(0).standard_normal(maps.shape).astype(np.float32)
    return truth, maps + arguments.noise * paddle.to_tensor(noise)


def report(name: str, steps: dict, joints_of, maps, truth, repeat: int) -> tuple[float, float]:
    """Prints median milliseconds of the whole and of each step, which gets what the one before gave.

    Returns:
        those of the whole, and the milliseconds of processor of the best turn, which a busy machine disturbs least.
    """
    from crowds import limbs_right

    times, processor = {step: [] for step in steps}, []
    for _ in range(repeat + 2):
        value, begun = maps, time.process_time()
        for step, work in steps.items():
            started = time.perf_counter()
            value = work(value)
            times[step].append(time.perf_counter() - started)
        processor.append(time.process_time() - begun)
    medians = {step: 1000 * median(seconds) for step, seconds in times.items()}
    found = joints_of(value)
    there, right = limbs_right(truth, found, within=1.0)
    parts = ", ".join(f"{step} {ms:.2f}" for step, ms in medians.items())
    clock, best = sum(medians.values()), 1000 * min(processor)
    print(f"{name}: {clock:.2f} ms ({parts}), best {best:.2f} ms of processor; ", end="")
    print(f"{len(found)} people, {100 * right / there:.1f} % of {there} limbs")
    return clock, best


def median(seconds: list) -> float:
    """Of all but the first two turns, which warm things up."""
    return sorted(seconds[2:])[(len(seconds) - 2) // 2]


def our_steps():
    """Steps from maps to people, and how to read the joints (P, 18, 2) in cells from what the last one gives."""
    from paddle_pose.codecs.grouping import Grouper, GroupingRules
    from paddle_pose.codecs.peaks import find_peaks
    from paddle_pose.skeletons import OPENPOSE_18

    group, rules = Grouper(OPENPOSE_18, GroupingRules()), GroupingRules()
    fields = 2 * len(OPENPOSE_18.limbs)

    def find(maps):
        return maps, find_peaks(maps[:, fields:-1], rules.peak_threshold, rules.most_peaks)

    def integrate(state):
        maps, found = state
        return found, group.connections(maps[:, :fields], found)

    def assemble(state):
        return group.assemble(*state)[0]

    return {"peaks": find, "integrals": integrate, "assembly": assemble}, lambda people: people.joints_xy


def tensorboy_steps(folder: str):
    """The Python way of its lib/network/post.py, which finds peaks on the maps and enlarges the fields eightfold."""
    import cv2
    import numpy as np

    post = load(os.path.join(folder, "lib", "network", "post.py"), stand_ins_for_old_libraries())
    thresholds = {"thre1": 0.1, "thre2": 0.05}

    def enlarge(maps):
        both = maps[0].numpy().transpose(1, 2, 0)
        return both[..., 38:], cv2.resize(both[..., :38], None, fx=STRIDE, fy=STRIDE, interpolation=cv2.INTER_CUBIC)

    def find(state):
        heat, fields = state
        return fields, post.NMS(thresholds, heat, float(STRIDE))

    def group(state):
        fields, joints = state
        all_joints = np.array([(*joint, part) for part, some in enumerate(joints) for joint in some])
        limbs = post.find_connected_joints(thresholds, fields, joints)
        return all_joints, post.group_limbs_of_same_person(limbs, all_joints)

    return {"enlarging": enlarge, "peaks": find, "grouping": group}, lambda state: in_cells(*state, STRIDE)


def lightweight_steps(folder: str):
    """Its modules/keypoints.py, on maps enlarged fourfold as in its demo."""
    import cv2

    keypoints = load(os.path.join(folder, "modules", "keypoints.py"), {})

    def enlarge(maps):
        both = maps[0].numpy().transpose(1, 2, 0)
        return [
            cv2.resize(some, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
            for some in (both[..., 38:], both[..., :38])
        ]

    def find(state):
        heat, fields = state
        by_part, count = [], 0
        for part in range(18):
            count += keypoints.extract_keypoints(heat[:, :, part], by_part, count)
        return fields, by_part

    def group(state):
        entries, joints = keypoints.group_keypoints(state[1], state[0])
        return joints, entries

    return {"enlarging": enlarge, "peaks": find, "grouping": group}, lambda state: in_cells(*state, 4)


def in_cells(joints, entries, ratio: int):
    """(P, 18, 2) from rows of joints, in pixels of enlarged maps, and rows of people: 18 joints, -1 for none."""
    import numpy as np

    found = np.full((len(entries), 18, 2), np.nan)
    for row, entry in enumerate(entries):
        for part in np.flatnonzero(np.asarray(entry[:18]) >= 0):
            found[row, part] = (np.asarray(joints)[int(entry[part]), :2] + 0.5) / ratio - 0.5
    return found


def load(path: str, stand_ins: dict) -> types.ModuleType:
    """The module at a path, with other modules in the place of some that today's libraries no longer have."""
    module = types.ModuleType(os.path.splitext(os.path.basename(path))[0])
    before = {name: sys.modules.get(name) for name in stand_ins}
    sys.modules.update(stand_ins)
    with open(path, encoding="utf-8") as file:
        exec(compile(file.read(), path, "exec"), module.__dict__)
    for name, old in before.items():
        if old is None:
            del sys.modules[name]
        else:
            sys.modules[name] = old
    return module


def stand_ins_for_old_libraries() -> dict:
    """What post.py imports by names that SciPy and Matplotlib have dropped; the functions are the same."""
    from scipy import ndimage

    colours = types.ModuleType("matplotlib.cm")
    colours.get_cmap = lambda name: None  # only for drawing
    matplotlib = types.ModuleType("matplotlib")
    matplotlib.cm = colours
    names = ("scipy.ndimage.filters", "scipy.ndimage.morphology")
    return {**dict.fromkeys(names, ndimage), "matplotlib": matplotlib, "matplotlib.cm": colours}


if __name__ == "__main__":
    main()
