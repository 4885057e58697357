#!/usr/bin/env bash
# What the train_*.sh share. They source this file and call
#   train_recipe CONFIG [flags of train.py]
# which trains a published recipe and evaluates its best model. TRUNK says which pre-trained weights the published
# number starts from, if any. From outside, all optional:
#   GPUS=0,1,2,3     more than one: as many processes, train.accumulate lowered so that a step keeps its samples
#   DATA=DIR         folder of the dataset (default: that of the configuration)
#   SAVE_DIR=DIR     models, logs and record (default: output/NAME_OF_THE_CONFIGURATION)
#   PRETRAINED=FILE  weights to start from
#   BOXES=FILE       COCO: a detector's boxes for the evaluation
#   DRY_RUN=1        print the commands, run nothing
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

train_recipe() {
    local config=$1 flag name save_dir facts gpus device=() launch=() data=() train=() valid=()
    shift
    for flag in "$@"; do # val.py would look elsewhere than train.py wrote
        case "$flag" in
            --save_dir | --save_dir=*) flag=SAVE_DIR=DIR ;;
            --dataset_root | --dataset_root=*) flag=DATA=DIR ;;
            --config | --config=*) flag="another script" ;;
            *) continue ;;
        esac
        echo "error: that flag would reach train.py only, not val.py; use $flag in its place" >&2
        exit 2
    done
    name=$(basename "$config" .yaml)
    save_dir=${SAVE_DIR:-output/$name}
    if [ -n "${GPUS:-}" ] && ! [[ "$GPUS" =~ ^[0-9]+(,[0-9]+)*$ ]]; then
        echo "error: GPUS=$GPUS: write numbers with commas between, e.g. GPUS=0,1,2,3" >&2
        exit 2
    fi
    IFS=, read -ra gpus <<<"${GPUS:-}"
    facts=$(python scripts/recipe.py "${#gpus[@]}" --config "$config" "$@")
    mapfile -t facts <<<"$facts"
    [ -z "${facts[2]:-}" ] || echo "note: ${facts[2]}"

    [ ${#gpus[@]} -eq 0 ] || device=(--device "gpu:${gpus[0]}")
    [ -z "${DATA:-}" ] || data=(--dataset_root "$DATA")
    train=(--config "$config" --save_dir "$save_dir" "${data[@]}")
    valid=(--pretrained_model "$save_dir/${facts[1]}_best_model/model.pdparams" "${data[@]}" "${device[@]}")
    [ -z "${BOXES:-}" ] || valid+=(--boxes "$BOXES")
    if [ -n "${PRETRAINED:-}" ]; then
        train+=(--pretrained_model "$PRETRAINED")
    elif [ -n "${TRUNK:-}" ] && [[ " $* " != *" --pretrained_model "* ]]; then
        echo "note: the published number starts from $TRUNK, this run from scratch; set PRETRAINED (docs/recipes.md)"
    fi
    if [ ${#gpus[@]} -gt 1 ]; then
        launch=(-m paddle.distributed.launch --gpus "$GPUS" --log_dir "$save_dir/launch")
        train+=("$@" --opts "train.accumulate=${facts[0]}") # behind one of the user's, from which it was computed
    else
        train+=("${device[@]}" "$@")
    fi
    run python "${launch[@]}" train.py "${train[@]}"
    run python val.py "${valid[@]}" --save_record "$save_dir/$name.json"
}

run() {
    local word line='+'
    for word in "$@"; do
        [[ "$word" =~ ^[A-Za-z0-9_./:=,-]+$ ]] || word="'$word'"
        line+=" $word"
    done
    echo "$line"
    [ -n "${DRY_RUN:-}" ] || "$@"
}
