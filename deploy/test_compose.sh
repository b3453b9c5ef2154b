#!/usr/bin/env bash
# Bring the whole stack of compose.yaml up with podman, send a study through it from outside, look at the running containers.
#
#   deploy/test_compose.sh            as root on Debian 12; a machine that reaches Debian's and Python's packages is enough
#
#   OSTEON_COMPOSE_CACHE    keeps images and downloads between runs (/var/tmp/osteon-compose); nothing that runs
#   KEEP=1                  leaves the stack up for a look; the next run takes it down
#
# One line a check: "ok" or "MISS". The images are real but for Redis, PostgreSQL, Orthanc and Prometheus, which are
# Debian's packages (deploy/images), and Triton, which is the processor's. Grafana is not there. podman's own settings and storage of this machine are not touched.
# shellcheck disable=SC2016 # what stands in single quotes is for a shell inside a container
set -euo pipefail
cd "$(dirname "$0")/.."

cache=${OSTEON_COMPOSE_CACHE:-/var/tmp/osteon-compose}
project=osteon-test
work=$cache/work
misses=0
export CONTAINERS_CONF=$cache/containers.conf CONTAINERS_STORAGE_CONF=$cache/storage.conf
export DISABLE_HC_SYSTEMD=true      # health checks are asked by this script: there may be no systemd
services=(postgres redis triton-cpu node worker api orthanc prometheus)
ours=(node worker api)
profiles=(--profile cpu --profile pacs --profile monitoring)

say() { printf '%5d s  %s\n' "$SECONDS" "$*"; }
stop() { say "STOP  $*"; exit 1; }

# check TEXT COMMAND...: the command succeeds.
check() {
  local text=$1
  shift
  if "$@" >"$work/said" 2>&1; then
    say "ok    $text"
  else
    say "MISS  $text"
    head -c 2000 "$work/said" | sed 's/^/           | /'
    misses=$((misses + 1))
  fi
}

not() { ! "$@"; }

# until_true SECONDS COMMAND...: the command succeeds within so long.
until_true() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 2
  done
}

compose() {
  "$cache/compose/bin/podman-compose" --in-pod false -p "$project" -f "$work/deploy/compose.yaml" \
    -f "$work/deploy/images/compose.test.yaml" --env-file "$work/deploy/.env" "$@"
}
container() { printf '%s_%s_1' "$project" "$1"; }
inside() { local name=$1; shift; podman exec "$(container "$name")" "$@"; }
inspect() { podman inspect --format "$2" "$(container "$1")"; }

# What runs of ours, and what an interrupted build left.
take_down() {
  [ ! -f "$work/deploy/.env" ] || compose "${profiles[@]}" down --timeout 20 >/dev/null 2>&1 || true
  podman ps --all --external --format '{{.ID}} {{.Names}}' | awk -v ours="$project" '$2 ~ "^" ours "_|-working-container" {print $1}' \
    | xargs -r podman rm --force >/dev/null 2>&1 || true
  podman volume ls --quiet --filter "name=^${project}_" | xargs -r podman volume rm --force >/dev/null 2>&1 || true
  podman network ls --quiet --filter "name=^${project}_" | xargs -r podman network rm --force >/dev/null 2>&1 || true
}

finish() {
  local status=$?
  if [ "$status" -ne 0 ]; then
    for name in migrate "${services[@]}"; do
      podman container exists "$(container "$name")" || continue
      echo "---- last lines of $name ($(inspect "$name" '{{.State.Status}}, status {{.State.ExitCode}}'))"
      podman logs --tail 20 "$(container "$name")" 2>&1 | cut -c1-600
    done
  fi
  [ -n "${KEEP:-}" ] || { take_down; rm -rf "$work"; }
  say "down  exit status $status"
  exit "$status"
}

be_alone() {
  local other
  mkdir -p "$cache"
  other=$(cat "$cache/pid" 2>/dev/null || true)
  [ -z "$other" ] || ! grep -qs test_compose "/proc/$other/cmdline" || stop "run $other uses $cache already"
  echo $$ >"$cache/pid"
}

# ---- What this machine needs -------------------------------------------------------------------------------------------------

install_programs() {
  [ "$(id -u)" -eq 0 ] || stop "this test builds and runs containers: run it as root"
  local packages=(podman runc netavark aardvark-dns catatonit debootstrap iptables dcmtk curl) missing=() name
  for name in "${packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  fi
  mkdir -p "$cache" "$cache/pip"
  if [ ! -x "$cache/compose/bin/podman-compose" ]; then
    python3.11 -m venv "$cache/compose"
    "$cache/compose/bin/pip" install --quiet --disable-pip-version-check podman-compose==1.6.0
  fi
}

write_podman_settings() {
  cat >"$cache/containers.conf" <<'CONF'
[containers]
default_ulimits = ["nofile=1024:20000", "nproc=20000:20000"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
CONF
  echo "network_config_dir = \"$cache/networks\"" >>"$cache/containers.conf"
  printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "%s"\n' "$cache/storage" "$cache/run" >"$cache/storage.conf"
}

# debian:bookworm-slim as its registry would give it: Debian's own packages, and this machine's sources of them.
make_base_image() {
  podman image exists docker.io/library/debian:bookworm-slim && return
  local sources mirror tree=$cache/base
  sources=$(apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' | sort -u)
  mirror=$(awk '$3 == "bookworm" {print $2; exit}' <<<"$sources")
  rm -rf "$tree"
  debootstrap --variant=minbase bookworm "$tree" "$mirror" >"$cache/debootstrap.log" || stop "debootstrap failed: $cache/debootstrap.log"
  echo "$sources" >"$tree/etc/apt/sources.list"
  # As in the official image: no fsync a package, no translations, no manuals.
  echo force-unsafe-io >"$tree/etc/dpkg/dpkg.cfg.d/unsafe-io"
  printf 'path-exclude /usr/share/%s/*\n' doc man info locale >"$tree/etc/dpkg/dpkg.cfg.d/slim"
  echo 'Acquire::Languages "none";' >"$tree/etc/apt/apt.conf.d/no-languages"
  rm -rf "$tree"/var/cache/apt/archives/*.deb "$tree"/var/lib/apt/lists/* "$tree"/usr/share/{doc,man,info,locale}/*
  tar -C "$tree" -c . | podman import --quiet - docker.io/library/debian:bookworm-slim >/dev/null
  rm -rf "$tree"
}

# ---- Images --------------------------------------------------------------------------------------------------------------------

# This machine's certificates and package indexes are lent to the build; nothing of them stays in an image.
build_images() {
  local lent=(-v "$cache/pip:/root/.cache/pip" -v "$work/pip.conf:/etc/pip.conf:ro") path target
  lend_pip_settings >"$work/pip.conf"
  for path in /etc/ssl/certs/ca-certificates.crt /opt/wheels /opt/pypi /opt/pypi-more; do
    [ ! -e "$path" ] || lent+=(-v "$path:/host$path:ro")
  done
  for target in redis postgres orthanc prometheus; do
    build "osteon-test-$target:test" -f deploy/images/Dockerfile --target "$target" deploy/images
  done
  for target in node worker api triton-cpu; do
    build "osteon-$target:test" -f deploy/Dockerfile --target "$target" "${lent[@]}" \
      --build-arg PIP_EXTRA_INDEX_URL= --build-arg "GIT_COMMIT=$(git rev-parse HEAD 2>/dev/null || echo unknown)" .
  done
}

# pip's settings of this machine, with its files where the build finds them.
lend_pip_settings() {
  echo "[global]"
  "$cache/compose/bin/pip" config list | tr -d "'" | awk -F. '{sub(/^[^.]*\./, ""); print}' | sort -u -t= -k1,1 \
    | sed -E 's#(=| |://)(/(etc|opt)/)#\1/host\2#g; s#=# = #'
}

build() {
  local tag=$1
  shift
  nice -n 10 podman build --format docker --layers --network host -t "localhost/$tag" "$@" >"$work/build.log" 2>&1 \
    || { tail -n 30 "$work/build.log"; stop "$tag was not built"; }
  say "built $tag"
}

# ---- The stack -----------------------------------------------------------------------------------------------------------------

free_port() { python3.11 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# As deploy/README.md says, in a copy of this folder: .env from the example, and a file a password.
write_site() {
  mkdir -p "$work/deploy/secrets"
  cp -r deploy/compose.yaml deploy/.env.example deploy/redis deploy/orthanc deploy/monitoring deploy/images "$work/deploy/"
  for name in postgres_password redis_password grafana_password; do
    head -c 24 /dev/urandom | base64 | tr -d '\n' >"$work/deploy/secrets/$name"
    chmod 0444 "$work/deploy/secrets/$name"
    { cat "$work/deploy/secrets/$name"; echo; } >>"$work/passwords"
  done
  chmod 0700 "$work/deploy/secrets"
  dicom_port=$(free_port) web_port=$(free_port) orthanc_port=$(free_port)
  cp "$work/deploy/.env.example" "$work/deploy/.env"
  cat >>"$work/deploy/.env" <<ENV
STACK_VERSION=test
STACK_DICOM_ADDRESS=127.0.0.1
STACK_DICOM_PORT=$dicom_port
STACK_WEB_PORT=$web_port
STACK_ORTHANC_PORT=$orthanc_port
STACK_MODELS=$PWD/model_repository
OSTEON_MODELS__BACKEND=triton
OSTEON_MODELS__TRITON__DEADLINE_S=600.0
OSTEON_NODE__CALLING_AE_TITLES=["SCANNER"]
OSTEON_DESTINATIONS=[{"name": "trial", "ae_title": "ORTHANC", "host": "orthanc", "port": 4242}]
ENV
}

make_study() {
  mkdir -p "$work/study"
  chown 10001:10001 "$work/study"
  podman run --rm --read-only --tmpfs /tmp --network none --cap-drop ALL --volume "$work/study:/study" \
    localhost/osteon-worker:test phantom /study/patient --small --seed 7 >/dev/null
  study=$(dcmdump +P 0020,000d -s "$(find "$work/study" -name '*.dcm' | head -n 1)" | sed -E 's/^.*\[(.*)\].*$/\1/')
  patient=$(dcmdump +P 0010,0010 -s "$(find "$work/study" -name '*.dcm' | head -n 1)" | sed -E 's/^.*\[(.*)\].*$/\1/')
}

bring_up() {
  local name
  compose "${profiles[@]}" up --detach --no-build migrate "${services[@]}" >"$work/up.log" 2>&1 \
    || { tail -n 30 "$work/up.log"; stop "the stack did not start"; }
  for name in "${services[@]}"; do check "$name comes up healthy" until_true 300 healthy "$name"; done
  [ "$misses" -eq 0 ] || stop "the stack is not up"
}

healthy() { podman healthcheck run "$(container "$1")"; }

# ---- What is asked of it ---------------------------------------------------------------------------------------------------------

# web PATH: what a viewer gets; the token is made on the first call, by the command that IT uses.
web() {
  [ -s "$work/token" ] || inside api osteon tokens create compose-test --role viewer --days 1 >"$work/token" 2>/dev/null
  curl --fail --silent --show-error --max-time 20 --header "Authorization: Bearer $(<"$work/token")" "http://127.0.0.1:$web_port$1"
}
status() { curl --silent --output /dev/null --write-out '%{http_code}' --max-time 20 "http://127.0.0.1:$web_port$1"; }
orthanc() { curl --fail --silent --show-error --max-time 20 "http://127.0.0.1:$orthanc_port$1" "${@:2}"; }
# in_orthanc MODALITY: how many series of it the study has there.
in_orthanc() {
  orthanc /tools/find --data "{\"Level\": \"Series\", \"Query\": {\"Modality\": \"$1\", \"StudyInstanceUID\": \"$study\"}}" \
    | python3.11 -c 'import json, sys; print(len(json.load(sys.stdin)))'
}
job_state() { web '/api/v1/jobs?limit=1' | python3.11 -c 'import json, sys; print(json.load(sys.stdin)["items"][0]["state"])'; }
ended() { [[ $(job_state) =~ ^(delivered|rejected|failed|held)$ ]]; }

check_study() {
  check "the published web port lets nobody in without a token" test "$(status /) $(status /api/v1/jobs)" = "401 401"
  check "storescu sends the study from outside to the published port" \
    /usr/bin/storescu --call OSTEON --aetitle SCANNER --scan-directories --recurse 127.0.0.1 "$dicom_port" "$work/study/patient/dicom"
  until_true 1200 ended || true
  check "the job of the study is delivered" test "$(job_state)" = delivered
  check "the stack's Orthanc has SEG ($(in_orthanc SEG) series of the study)" test "$(in_orthanc SEG)" -gt 0
  check "the stack's Orthanc has SR ($(in_orthanc SR) series)" test "$(in_orthanc SR)" -gt 0
  check "the networks ran on Triton" answered_by_triton
}

answered_by_triton() {
  inside triton-cpu python3.11 -c 'import urllib.request as web
lines = web.urlopen("http://127.0.0.1:8002/metrics", timeout=5).read().decode().splitlines()
sys_exit = sum(float(x.split()[-1]) for x in lines if x.startswith("nv_inference_request_success{")) < 2
raise SystemExit(sys_exit)'
}

# What the kernel says of every process of a container, and podman of the container.
check_container() {
  local name=$1 processes
  processes=$(inside "$name" sh -c 'cat /proc/[0-9]*/status 2>/dev/null' || true)   # one may end meanwhile
  check "$name: user $(awk '/^Uid/ {print $2; exit}' <<<"$processes"), and no process is root's" not grep -Eq '^(Uid|Gid):.*\b0\b' <<<"$processes"
  check "$name: no process has a capability" not grep -Eq '^Cap(Inh|Prm|Eff|Bnd|Amb):[[:space:]]*0*[1-9a-f]' <<<"$processes"
  check "$name: no new privileges, system calls are filtered" not grep -Eq '^(NoNewPrivs|Seccomp):[[:space:]]*0$' <<<"$processes"
  check "$name: root file system read only" test "$(inspect "$name" '{{.HostConfig.ReadonlyRootfs}}')" = true
  check "$name: nothing can be written to /, /etc, /usr, /opt" \
    inside "$name" sh -c 'for d in / /etc /usr /opt; do if touch "$d/probe"; then exit 1; fi; done'
  check "$name: memory, processes and logs are limited" test \
    "$(inspect "$name" '{{if .HostConfig.Memory}}1{{end}}{{if .HostConfig.PidsLimit}}1{{end}}{{if ne .HostConfig.LogConfig.Size "0B"}}1{{end}}')" = 111
  check "$name: no core dumps" inside "$name" grep -Eq '^Max core file size +0 +0 ' /proc/1/limits
  check "$name: no password in its variables or arguments" not grep -qF -f "$work/passwords" \
    <(inspect "$name" '{{.Config.Env}} {{.Config.Cmd}} {{.Args}}'; inside "$name" sh -c 'cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null' | tr '\0' '\n')
}

check_images() {
  local name
  for name in "${ours[@]}" triton-cpu; do
    check "image $name: no compiler, no pip" podman run --rm --network none --entrypoint sh "localhost/osteon-$name:test" -c \
      'for p in gcc cc g++ ld make pip pip3 git; do if command -v "$p"; then exit 1; fi; done; ! /opt/osteon/bin/python -c "import pip"'
  done
  check "images know their commit" test "$(podman run --rm --network none --entrypoint cat localhost/osteon-node:test \
    /opt/osteon/lib/python3.11/site-packages/service/COMMIT)" = "$(git rev-parse HEAD 2>/dev/null || echo unknown)"
}

check_networks() {
  local published
  published=$(podman ps --filter "label=io.podman.compose.project=$project" --format '{{.Names}} {{.Ports}}' | sed -E "s/^${project}_//" \
    | awk '$2 {print}' | sort | tr '\n' ';')
  check "published: the DICOM port, the web port, and Orthanc's of the profile pacs; no other" test "$published" = \
    "api_1 127.0.0.1:$web_port->8080/tcp;node_1 127.0.0.1:$dicom_port->11112/tcp;orthanc_1 127.0.0.1:$orthanc_port->8042/tcp;"
  for name in postgres redis triton-cpu prometheus; do
    check "$name: no way out of its network" not grep -Eq '^[^[:space:]]+[[:space:]]+00000000' <<<"$(inside "$name" cat /proc/net/route || echo 'x 00000000')"
  done
  check "the web process finds the database, and not Triton" inside api python3.11 -c 'import socket
socket.create_connection(("postgres", 5432), 5).close()
try: socket.getaddrinfo("triton", 8001)
except socket.gaierror: raise SystemExit(0)
raise SystemExit(1)'
  check "the worker does" inside worker python3.11 -c 'import socket; socket.create_connection(("triton", 8001), 5)'
}

check_servers() {
  check "Redis lets nobody in without the password" inside redis sh -c 'redis-cli ping | grep -q NOAUTH'
  check "Redis: our user may not administer it" inside redis sh -c \
    'REDISCLI_AUTH=$(cat /run/secrets/redis_password) redis-cli --no-auth-warning --user osteon FLUSHALL | grep -q NOPERM'
  check "Redis: nor touch keys of others" inside redis sh -c \
    'REDISCLI_AUTH=$(cat /run/secrets/redis_password) redis-cli --no-auth-warning --user osteon SET other 1 | grep -q NOPERM'
  check "PostgreSQL lets nobody in without the password" inside postgres sh -c \
    'psql -w -h "$(hostname -i | cut -d" " -f1)" -U osteon -c "SELECT 1" 2>&1 | grep -q "no password supplied"'
  check "the page says that everything is ready" web /readyz
  check "Prometheus reaches node, worker, page and Triton" until_true 90 all_watched
  check "no log line names the patient" no_log_names "$patient"
}

# Asked from the worker, which shares a network with it: Prometheus is published nowhere.
all_watched() {
  inside worker python3.11 -c 'import json, urllib.request as web
targets = json.load(web.urlopen("http://prometheus:9090/api/v1/targets", timeout=5))["data"]["activeTargets"]
up = {target["labels"]["job"] for target in targets if target["health"] == "up"}
raise SystemExit(sorted({"osteon-node", "osteon-worker", "osteon-api", "triton"} - up) or 0)'
}

no_log_names() {
  local name
  [ -n "$1" ] || return 1
  for name in "${services[@]}" migrate; do
    not grep -qF "$1" <(podman logs "$(container "$name")" 2>&1) || { echo "$name does"; return 1; }
  done
}

check_stop() {
  local name
  for name in "${ours[@]}"; do
    podman stop --time 60 "$(container "$name")" >/dev/null
    # uvicorn ends by the signal itself once it is done: 143.
    check "$name: ends by itself when it is asked to" grep -Eq '^(0|143)$' <<<"$(inspect "$name" '{{.State.ExitCode}}')"
  done
}

main() {
  be_alone
  trap finish EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  mkdir -p "$work"
  install_programs
  write_podman_settings
  take_down
  rm -rf "$work" && mkdir -p "$work"
  make_base_image
  say "base  debian:bookworm-slim"
  build_images
  write_site
  make_study
  say "made  a synthetic study of $(find "$work/study" -name '*.dcm' | wc -l) files"
  bring_up
  check_images
  for name in "${services[@]}"; do check_container "$name"; done
  check_networks
  check_study
  check_servers
  check_stop
  [ "$misses" -eq 0 ] || stop "$misses checks missed"
  say "done  every check passed"
}

main
