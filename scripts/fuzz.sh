#!/usr/bin/env bash
# Searches for bodies that break a property (docs/fuzzing.md), target after target, one process at a time. Needs the nightly
# toolchain and cargo-fuzz. Runs from any directory, and writes what it learns beside what it builds, not into the sources.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: scripts/fuzz.sh [--seconds N | --runs N] [--sanitizer address|none] [TARGET...]
       scripts/fuzz.sh --keep [TARGET...]
       scripts/fuzz.sh --list

  --seconds N     search each target for so long; 60 without this
  --runs N        execute each target so many times instead
  --sanitizer S   address (the default) also finds what unsafe code in other crates does wrong; none is several times as fast
  --keep          put some of what reaches more than the files in fuzz/corpus do there too, and search nothing
  --list          name the targets

Examples:
  scripts/fuzz.sh                                       # every target for a minute
  scripts/fuzz.sh --runs 1000000 --sanitizer none quantity duration
  scripts/fuzz.sh --seconds 600 admission && scripts/fuzz.sh --keep admission

Exit: 0 nothing was found, 1 something was (the table says where it lies), 2 wrong usage, or something is missing.
USAGE
}

refuse() {
  echo "scripts/fuzz.sh: $1" >&2
  exit 2
}

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
toolchain="${ECO_PULSE_FUZZ_TOOLCHAIN:-nightly}"
# No body may take longer, or more memory: docs/fuzzing.md.
most_seconds=1
most_mib=512
# Kept of one target at most: tests/fuzz holds them to it.
most_kept=40

limit=(-max_total_time=60)
limited=""
sanitizer=address
keep=false
chosen=()

# number OPTION VALUE: a whole number above 0.
number() {
  [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || refuse "$1 \"${2:-}\" is no whole number above 0"
}

# all_targets: one a line.
all_targets() {
  local program
  for program in "$root"/fuzz/fuzz_targets/*.rs; do
    basename "$program" .rs
  done
}

while (($#)); do
  case "$1" in
    --seconds | --runs)
      number "$1" "${2:-}"
      [[ -z $limited ]] || refuse "give --seconds or --runs, once"
      limited="$1"
      if [[ $1 == --runs ]]; then limit=("-runs=$2"); else limit=("-max_total_time=$2"); fi
      shift 2
      ;;
    --sanitizer)
      [[ ${2:-} == address || ${2:-} == none ]] || refuse "--sanitizer \"${2:-}\" is neither address nor none"
      sanitizer="$2"
      shift 2
      ;;
    --keep) keep=true; shift ;;
    --list) all_targets; exit 0 ;;
    -h | --help) usage; exit 0 ;;
    -*) echo "scripts/fuzz.sh: unknown option \"$1\"" >&2; usage >&2; exit 2 ;;
    *)
      [[ -f $root/fuzz/fuzz_targets/$1.rs ]] ||
        refuse "there is no target \"$1\": $(all_targets | paste -sd ' ')"
      chosen+=("$1")
      shift
      ;;
  esac
done
((${#chosen[@]})) || mapfile -t chosen < <(all_targets)

command -v cargo >/dev/null || refuse "cargo is not installed; see https://rustup.rs, then run this again"
cargo "+$toolchain" --version >/dev/null 2>&1 ||
  refuse "there is no toolchain \"$toolchain\", which instrumentation needs: rustup toolchain install $toolchain"
cargo fuzz --version >/dev/null 2>&1 || refuse "cargo-fuzz is not installed: cargo install cargo-fuzz --locked"

# longest TARGET: bytes of a body at most. Long enough for what is read, and no longer: the search is slower the longer they are.
longest() {
  case "$1" in
    quantity | duration) echo 96 ;;
    history) echo 200 ;;
    extender_nodes) echo 16384 ;;
    *) echo 4096 ;;
  esac
}

cd "$root"
learned="${CARGO_TARGET_DIR:-$root/fuzz/target}/corpus"
log="$(mktemp)"
trap 'rm -f "$log"' EXIT

# run TARGET ARGUMENT...: the target's program, with these for cargo-fuzz and, behind --, for itself.
run() {
  local target="$1"
  shift
  cargo "+$toolchain" fuzz run --sanitizer "$sanitizer" "$target" "$@"
}

# figure NAME: a figure that the last run ended with; nothing if it did not come to that.
figure() {
  sed -n "s/^stat::$1: *//p" "$log" | tail -1
}

# spread FOUND KEPT: names of files in FOUND that are not in KEPT, as many as there is room for, evenly by size.
spread() {
  local room=$((most_kept - $(find "$2" -type f | wc -l)))
  comm -23 <(ls "$1" | sort) <(ls "$2" | sort) | while read -r file; do
    printf '%s %s\n' "$(wc -c <"$1/$file")" "$file"
  done | sort -n | awk -v room="$room" '
    { name[NR] = $2 }
    END { for (i = 1; i <= NR; i++) if (NR <= room || int(i * room / NR) > int((i - 1) * room / NR)) print name[i] }'
}

# keep_of TARGET: what is in its corpus, and of what was learned some files that reach more.
keep_of() {
  local target="$1" kept="$root/fuzz/corpus/$1" found file count
  found="$(mktemp -d)"
  cp "$kept"/* "$found"
  run "$target" "$found" "$learned/$target" -- -merge=1 "-max_len=$(longest "$target")" >"$log" 2>&1 || {
    tail -20 "$log" >&2
    echo "scripts/fuzz.sh: the corpus of $target cannot be minimised" >&2
    rm -r "$found"
    return 1
  }
  # Of what is new, small and large alike: the smallest alone are fragments.
  spread "$found" "$kept" | while read -r file; do cp "$found/$file" "$kept"; done
  count=$(find "$kept" -type f | wc -l)
  rm -r "$found"
  printf '%-22s%4d files\n' "$target" "$count"
}

if $keep; then
  for target in "${chosen[@]}"; do
    mkdir -p "$learned/$target"
    keep_of "$target"
  done
  exit 0
fi

echo "building ${#chosen[@]} targets, sanitizer $sanitizer"
if ((${#chosen[@]} == $(all_targets | wc -l))); then
  cargo "+$toolchain" fuzz build --sanitizer "$sanitizer"
else
  for target in "${chosen[@]}"; do
    cargo "+$toolchain" fuzz build --sanitizer "$sanitizer" "$target"
  done
fi

rows=()
total=0
found_any=false
for target in "${chosen[@]}"; do
  echo "searching $target"
  mkdir -p "$learned/$target"
  corpora=("$learned/$target" "fuzz/corpus/$target")
  [[ ! -d fuzz/regressions/$target ]] || corpora+=("fuzz/regressions/$target")
  outcome=ok
  run "$target" "${corpora[@]}" -- "${limit[@]}" "-timeout=$most_seconds" "-rss_limit_mb=$most_mib" \
    "-max_len=$(longest "$target")" -print_final_stats=1 -verbosity=1 >"$log" 2>&1 || outcome=FOUND
  if [[ $outcome == FOUND ]]; then
    found_any=true
    artifact="$(sed -n 's/.*Test unit written to \(.*\)/\1/p' "$log" | tail -1)"
    outcome="FOUND ${artifact:-nothing that was written down}"
    grep -v '^#' "$log" | tail -40 >&2
  fi
  executions="$(figure number_of_executed_units)"
  # A run that ended early says no figures: its last line of progress does.
  executions="${executions:-$(sed -n 's/^#\([0-9]*\).*/\1/p' "$log" | tail -1)}"
  total=$((total + ${executions:-0}))
  files=$(find "$learned/$target" "fuzz/corpus/$target" -type f | wc -l)
  rows+=("$(printf '%-22s%14s%10s%8s%10s  %s' "$target" "${executions:-0}" "$(figure average_exec_per_sec)" "$files" \
    "$(figure peak_rss_mb)" "$outcome")")
done

printf '\n%-22s%14s%10s%8s%10s  %s\n' target executions exec/s corpus "peak MiB" result
printf '%s\n' "${rows[@]}"
printf '%-22s%14d\n' total "$total"
if $found_any; then
  echo "A finding becomes a test: docs/fuzzing.md says how."
  exit 1
fi
