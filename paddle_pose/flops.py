"""`python -m paddle_pose.flops --config configs/hrnet/w32_coco_192x256.yaml`, the same as `paddle-pose flops`."""

import sys

from paddle_pose.cli.flops import main

if __name__ == "__main__":
    sys.exit(main())
