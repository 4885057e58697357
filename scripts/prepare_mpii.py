"""MPII's official annotations -> annot/train.json, annot/valid.json, annot/gt_valid.mat (HRNet's form).

    python scripts/prepare_mpii.py --mat mpii_human_pose_v1_u12_1.mat --dataset_root data/mpii

Prints the counts beside those of the published split (14679 photos / 22246 people, 2729 / 2958).
Exit code 0: they agree. 1: they do not; the files are then named `*.unchecked`, so that nothing reads them by
accident. 2: wrong input.
"""

import argparse
import os
import sys

# So that it runs from a checkout that is not installed.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from paddle_pose.errors import DataError, UserError  # noqa: E402


def main(arguments: list[str]) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mat", required=True, help="mpii_human_pose_v1_u12_1.mat")
    parser.add_argument("--dataset_root", default="data/mpii", help="annot/ is made in it (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        return prepare(options.mat, os.path.join(options.dataset_root, "annot"))
    except (UserError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def prepare(mat: str, folder: str) -> int:
    """Converts and checks; 0 if the counts are those of the published split, else 1."""
    from paddle_pose.data import mpii_official

    for name in ("train.json", "valid.json", "gt_valid.mat"):
        if os.path.exists(os.path.join(folder, name)):
            raise DataError(f"{os.path.join(folder, name)} exists already; move it away or choose another root")
    people, unusable = mpii_official.read_release(mat)
    if unusable:
        print(f"=> left out {unusable} people without scale or position")
    parts = mpii_official.split(people)
    counts = mpii_official.counts_of(parts)
    print("\n".join(mpii_official.counts_lines(counts)))
    passed = counts == mpii_official.OFFICIAL_COUNTS
    paths = mpii_official.write_annotations(parts, folder, suffix="" if passed else ".unchecked")
    print("=> wrote " + ", ".join(paths))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
