#!/usr/bin/env bash
# HRNet-W32 at 192x256 (width x height), COCO keypoints, the authors' recipe.
# Published: hrnet_w32_coco_192x256. Cost: not known.
#   bash scripts/train_hrnet_w32_coco_192x256.sh
#   GPUS=0,1,2,3 bash scripts/train_hrnet_w32_coco_192x256.sh
. "$(dirname "$0")/recipe.sh"
TRUNK="a trunk trained on ImageNet" train_recipe configs/hrnet/w32_coco_192x256.yaml "$@"
