#!/usr/bin/env bash
# HRNet-W32 with DARK (unbiased targets, Taylor step) at 192x256, COCO keypoints, mmpose's recipe.
# Published: mmpose_hrnet_w32_coco_192x256_dark. Cost: not known.
#   bash scripts/train_hrnet_w32_coco_192x256_dark.sh
#   GPUS=0,1,2,3 bash scripts/train_hrnet_w32_coco_192x256_dark.sh
. "$(dirname "$0")/recipe.sh"
TRUNK="a trunk trained on ImageNet" train_recipe configs/hrnet/w32_coco_192x256_dark.yaml "$@"
