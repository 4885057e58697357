#!/usr/bin/env bash
# HRNet-W48 at 192x256 (width x height), COCO keypoints, mmpose's recipe.
# Published: mmpose_hrnet_w48_coco_192x256. Cost: not known.
#   bash scripts/train_hrnet_w48_coco_192x256_mmpose.sh
#   GPUS=0,1,2,3 bash scripts/train_hrnet_w48_coco_192x256_mmpose.sh
. "$(dirname "$0")/recipe.sh"
TRUNK="a trunk trained on ImageNet" train_recipe configs/hrnet/w48_coco_192x256_mmpose.yaml "$@"
