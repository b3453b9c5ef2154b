#!/usr/bin/env bash
# Look at a host, then bring Osteon up on it. The host needs bash and Docker with Compose (or podman with podman-compose).
#
#   deploy/install.sh --check             look and change nothing; exit status 1 if something is wrong
#   deploy/install.sh                     make .env and passwords where there are none, look, start, wait until all is healthy
#   deploy/install.sh --offline BUNDLE    first prove and load the images of deploy/bundle.sh: no registry is asked
#
#   --wait-echo SECONDS                   while looking, wait so long for a C-ECHO from the PACS
#
#   ENGINE          docker or podman; the one that is there if not given
#   COMPOSE         its Compose as one word or several, as podman-compose; the one that is there if not given
#   WAIT_S          how long to wait for health; 600 seconds if not given
#
# A PACS that does not answer stops --check but not the start: it is asked once everything runs.
#
# A line is ok, problem, note or skipped, a stable code, and a sentence that ends with what to do. `osteon doctor` prints the
# same from inside the image; this script asks it too. docs/deploy.md is the page for all of this.
set -euo pipefail
called_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")"
. ./stack.sh
. ./preflight.sh

STEADY_S=${STEADY_S:-15}    # all have to stay up for so long

stop() { echo "install.sh: $1" >&2; exit "${2:-1}"; }

# ---- offline

# Prove a bundle of deploy/bundle.sh and load its images.
load_bundle() {
  local bundle=$1 wrong
  [ -f "$bundle/SHA256SUMS" ] || stop "$bundle is no bundle: it has no SHA256SUMS [BUNDLE_MISSING]"
  if ! wrong=$(cd "$bundle" && sha256sum --check --quiet --strict SHA256SUMS 2>&1); then
    wrong=$(printf '%s\n' "$wrong" | sed -nE 's/^(.*): (FAILED.*|No such file.*)$/\1/p' | sed 's/^sha256sum: //' | head -n 1)
    stop "${wrong:-SHA256SUMS} of $bundle is not as it was written: copy the bundle again [BUNDLE_DAMAGED]"
  fi
  ok BUNDLE "every file is as it was written; compare with what its maker told you: $(sha256sum "$bundle/SHA256SUMS" | cut -d' ' -f1)"
  find_engine
  engine_answers || { check_engine; stop "the images cannot be loaded [ENGINE]"; }
  "$engine" load --quiet --input "$bundle/images.tar" >/dev/null || stop "$engine does not load $bundle/images.tar [BUNDLE_LOAD]"
  ok BUNDLE "its images are loaded"
}

# ---- install

make_env() {
  [ -f .env ] || install -m 0640 .env.example .env
  read_settings
}

make_secrets() {
  local folder name
  folder=$(setting STACK_SECRETS)
  for name in $(secret_names); do
    if [ -s "$folder/$name" ]; then continue; fi
    [ "$(id -u)" = 0 ] || stop "run this as root once: it makes $folder/$name, which has to belong to $(secret_owner "$name") [SECRETS]"
    install -d -m 0700 "$folder"
    (umask 077 && od -An -N32 -tx1 /dev/urandom | tr -d ' \n' > "$folder/$name.new")
    chown "$(secret_owner "$name")" "$folder/$name.new"
    chmod 0440 "$folder/$name.new"
    mv "$folder/$name.new" "$folder/$name"
  done
}

make_backups() {
  local folder
  folder=$(setting STACK_BACKUPS)
  if [ -d "$folder" ] || [ "$(id -u)" != 0 ]; then return 0; fi
  install -d -m 0700 -o "$OURS" -g "$OURS" "$folder"
}

health() {            # healthy, starting, unhealthy, exited..., of one container
  local state
  state=$("$engine" inspect --format '{{if .State.Health}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}' "$1" 2>/dev/null) || state=gone
  # podman asks by timers of systemd; where there is none nobody asks but we.
  if [ "$engine" = podman ] && [ "$state" = starting ] && podman healthcheck run "$1" >/dev/null 2>&1; then state=healthy; fi
  echo "$state"
}

not_healthy() {       # services that do not work yet
  local service image id state
  while read -r service image; do
    case $service in migrate | operate) continue ;; esac
    id=$(containers "$service" | head -n 1)
    state=$([ -n "$id" ] && health "$id" || echo "not running")
    case $state in healthy | running) ;; *) printf '%s (%s) ' "$service" "$state" ;; esac
  done < <(images)
}

started() {           # when each container started: one that ends and starts again is not steady
  local service image
  while read -r service image; do
    case $service in migrate | operate) continue ;; esac
    "$engine" inspect --format '{{.State.StartedAt}}' "$(containers "$service" | head -n 1)" 2>/dev/null || echo gone
  done < <(images)
}

start() {
  local waiting before='' until=$((SECONDS + ${WAIT_S:-600}))
  "${compose[@]}" up --detach
  while true; do
    waiting=$(not_healthy)
    if [ -z "$waiting" ]; then
      before=$(started)
      sleep "$STEADY_S"
      waiting=$(not_healthy)
      if [ -z "$waiting" ] && [ "$before" = "$(started)" ]; then return 0; fi
    fi
    [ "$SECONDS" -lt "$until" ] || stop "not healthy after ${WAIT_S:-600} s: ${waiting:-one that starts again and again }- read ${compose[*]} logs of these [NOT_HEALTHY]"
    sleep 2
  done
}

tell() {
  local addresses
  addresses=$(hostname -I 2>/dev/null | tr -s ' ') || addresses="this host"
  cat <<END

Osteon runs.
  Send studies to  AE title $(setting OSTEON_NODE__AE_TITLE), port $(setting STACK_DICOM_PORT), at ${addresses:-this host}
  Look at          http://$(setting STACK_WEB_ADDRESS):$(setting STACK_WEB_PORT)/
  First token      docker compose run --rm operate tokens create NAME --role admin
  Try it first     docs/deploy.md, "A first test with a phantom"
END
}

# ---- the command line

mode=install bundle='' wait_echo_s=0
while [ $# -gt 0 ]; do
  case $1 in
    --check) mode=check; shift ;;
    --offline) [ $# -gt 1 ] || stop "--offline needs the folder of a bundle" 2; bundle=$2; shift 2 ;;
    --wait-echo) [ $# -gt 1 ] || stop "--wait-echo needs seconds" 2; wait_echo_s=$2; shift 2 ;;
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$PWD/$(basename "${BASH_SOURCE[0]}")"; exit 0 ;;
    *) stop "there is no option $1; --help lists them" 2 ;;
  esac
done
[[ $wait_echo_s =~ ^[0-9]+$ ]] || stop "--wait-echo $wait_echo_s: write whole seconds" 2

case $bundle in
  "") ;;
  /*) load_bundle "$bundle" ;;
  *) load_bundle "$called_from/$bundle" ;;
esac
if [ "$mode" = install ]; then
  make_env
  make_secrets
  make_backups
fi
check
[ "$problems" -eq 0 ] || stop "$problems problem(s); nothing was started. Each line above says what to do." 1
if [ "$mode" = install ]; then
  start
  ask_doctor operate -- database broker models door pacs
  tell
  [ "$problems" -eq 0 ] || stop "it runs, and $problems problem(s) are left: each line above says what to do" 1
fi
