#!/usr/bin/env bash
# Half of what one server can do, for a while, with something broken every few seconds; ends with 1 if memory, files or threads grow,
# or if a pod was the worse for it.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: scripts/soak.sh [MINUTES]

  MINUTES   how long (default: 30)

The optimised program on this machine alone, as scripts/chaos.sh has it. Every three seconds Redis, the grid API,
the Kubernetes API server or the configuration breaks, or is mended. Prints what became of all pods and how
memory, open files and threads went, as slopes an hour. Needs Rust and redis-server.

Examples:
  scripts/soak.sh
  scripts/soak.sh 5
USAGE
}

minutes=30
case "${1:-}" in
  "") ;;
  -h | --help) usage; exit 0 ;;
  *[!0-9]*) echo "scripts/soak.sh: unknown argument \"$1\"" >&2; usage >&2; exit 2 ;;
  *) minutes="$1" ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec cargo test --quiet --release --test chaos -- "--soak=$minutes"
