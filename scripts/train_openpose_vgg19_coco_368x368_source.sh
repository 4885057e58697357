#!/usr/bin/env bash
# OpenPose (VGG-19, six stages of two branches) on COCO by the schedule of `train_VGG19.py`.
# Published: tensorboy_openpose_coco_val2017. Cost: not known.
#   bash scripts/train_openpose_vgg19_coco_368x368_source.sh
#   GPUS=0,1,2,3 bash scripts/train_openpose_vgg19_coco_368x368_source.sh
. "$(dirname "$0")/recipe.sh"
TRUNK="VGG-19 trained on ImageNet" train_recipe configs/openpose/vgg19_coco_368x368_source.yaml "$@"
