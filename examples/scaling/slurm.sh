#!/usr/bin/env bash
#SBATCH --job-name=rebasin
#SBATCH --cpus-per-task=4
#SBATCH --mem=8G
#SBATCH --gres=gpu:1
#SBATCH --time=02:00:00
#SBATCH --requeue
#
# A study on a Slurm cluster: an array of jobs that train networks, after it one that measures them, after it the verdicts.
# Run it on a login node; whatever has been done is not done again, so after a failure just run it once more:
#
#   STUDY=width SIZE=large CACHE=/shared/rebasin DATA=/shared/data bash examples/scaling/slurm.sh
#
#   STUDY     a study, or all                            SIZE   small or large (default: large)
#   CACHE     a folder that all nodes see                DATA   holds a folder for each data set; needed by large
#   REPORT    where the report goes (default: $CACHE/report-$STUDY)
#   AT_ONCE   jobs at the same time (default: 16)
#   REBASIN   the command (default: rebasin), such as "node /shared/rebasin-checkout/dist/cli/main.js"
set -euo pipefail
shopt -s inherit_errexit

: "${STUDY:?which study? see: rebasin study}" "${CACHE:?a folder that all nodes see}"
SIZE=${SIZE:-large}
DATA=${DATA:-}
REPORT=${REPORT:-$CACHE/report-$STUDY}
AT_ONCE=${AT_ONCE:-16}
REBASIN=${REBASIN:-rebasin}
export STUDY CACHE SIZE DATA REPORT REBASIN

study() {
  $REBASIN study "$STUDY" "--$SIZE" --cache "$CACHE" ${DATA:+--data "$DATA"} "$@"
}

# Writes the jobs of stage $1 that are still to do into a file, and submits an array over it that waits for the array $2, if any.
# Prints the array's number, or that of the one it would have waited for where nothing is to do.
submit() {
  local ids count
  ids=$(mktemp "$CACHE/$STUDY-$SIZE-stage-$1.XXXXXX")
  study --list | node -e '
    const { jobs } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
    for (const { id, stage, done } of jobs) if (stage === Number(process.argv[1]) && !done) console.log(id);
  ' "$1" > "$ids"
  count=$(wc -l < "$ids")
  if [ "$count" -eq 0 ]; then
    rm "$ids"
    echo "$2"
  else
    sbatch --parsable ${2:+--dependency=afterok:$2} --array="0-$((count - 1))%$AT_ONCE" "$0" job "$ids"
  fi
}

case "${1:-submit}" in
  submit)
    mkdir -p "$CACHE"
    networks=$(submit 0 '')
    measurements=$(submit 1 "$networks")
    sbatch --parsable --gres=none ${measurements:+--dependency=afterok:$measurements} "$0" collect
    ;;
  job)
    study --job "$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" "$2")"
    ;;
  collect)
    study --collect --out "$REPORT"
    ;;
esac
