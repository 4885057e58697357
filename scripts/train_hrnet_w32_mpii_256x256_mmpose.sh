#!/usr/bin/env bash
# HRNet-W32, MPII single person, mmpose's recipe.
# Published: mmpose_hrnet_w32_mpii_256x256. Cost: not known.
#   bash scripts/train_hrnet_w32_mpii_256x256_mmpose.sh
#   GPUS=0,1,2,3 bash scripts/train_hrnet_w32_mpii_256x256_mmpose.sh
. "$(dirname "$0")/recipe.sh"
TRUNK="a trunk trained on ImageNet" train_recipe configs/hrnet/w32_mpii_256x256_mmpose.yaml "$@"
