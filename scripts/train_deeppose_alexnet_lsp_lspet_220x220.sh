#!/usr/bin/env bash
# DeepPose, stage 1, the paper's AlexNet-like network on LSPET and LSP's first 1000, scored on LSP's last 1000.
# Published: deeppose_tf_alexnet_lsp_227x227_scratch. Cost: not known.
#   bash scripts/train_deeppose_alexnet_lsp_lspet_220x220.sh
#   GPUS=0,1,2,3 bash scripts/train_deeppose_alexnet_lsp_lspet_220x220.sh
. "$(dirname "$0")/recipe.sh"
train_recipe configs/deeppose/alexnet_lsp_lspet_220x220.yaml "$@"
