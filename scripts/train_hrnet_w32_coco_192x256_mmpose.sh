#!/usr/bin/env bash
# HRNet-W32 at 192x256 (width x height), COCO keypoints, mmpose's recipe.
# Published: mmpose_hrnet_w32_coco_192x256. Cost: 0.54 s a step on 8 V100 (mmpose 0.x, docs/en/benchmark.md).
#   bash scripts/train_hrnet_w32_coco_192x256_mmpose.sh
#   GPUS=0,1,2,3 bash scripts/train_hrnet_w32_coco_192x256_mmpose.sh
. "$(dirname "$0")/recipe.sh"
TRUNK="a trunk trained on ImageNet" train_recipe configs/hrnet/w32_coco_192x256_mmpose.yaml "$@"
