"""Draws samples of a dataset as the network will see them: augmented crops with their joints, and the targets.

    python scripts/browse_dataset.py --config configs/hrnet/w32_mpii_256x256.yaml --dataset_root data/mpii --epochs 3

Flags as for train.py. Writes a picture for each sample, a row for each of the first K epochs, and sheet.png with the
first draw of all of them; prints what augmentation did. The draws are those that training makes.
"""

import os
import sys

# So that it runs from a checkout that is not installed.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from paddle_pose.cli.browse_dataset import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
