#!/usr/bin/env bash
# HRNet-W32 at 192x256 (width x height) in mixed precision, COCO keypoints, mmpose's recipe.
# Published: mmpose_hrnet_w32_coco_192x256_fp16. Cost: not known.
#   bash scripts/train_hrnet_w32_coco_192x256_mmpose_fp16.sh
#   GPUS=0,1,2,3 bash scripts/train_hrnet_w32_coco_192x256_mmpose_fp16.sh
. "$(dirname "$0")/recipe.sh"
TRUNK="a trunk trained on ImageNet" train_recipe configs/hrnet/w32_coco_192x256_mmpose_fp16.yaml "$@"
