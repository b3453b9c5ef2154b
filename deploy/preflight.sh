# shellcheck shell=bash
# The checks of install.sh, one function each; sourced after stack.sh. A problem is counted in $problems.

OURS=10001            # the numeric user of our containers
SERVERS=999           # that of PostgreSQL's and Redis' images
GRAFANA=472
problems=0
: "${compose=}" "${wait_echo_s:=0}" "${mode:=check}"    # of stack.sh, and of the command line

say() { printf '%-8s %-16s %s\n' "$1" "$2" "$3"; }
ok() { say ok "$1" "$2"; }
note() { say note "$1" "$2"; }
skipped() { say skipped "$1" "$2"; }
problem() { problems=$((problems + 1)); say problem "$1" "$2"; }
newer() { [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]; }       # $1 is $2 or newer

# ---- engine and compose

check_engine() {
  local version
  if [ -z "$engine" ] || ! command -v "$engine" >/dev/null; then
    problem ENGINE "there is neither docker nor podman: install Docker Engine with its Compose plugin"
    return 0
  fi
  if ! "$engine" info >/dev/null 2>&1; then
    problem ENGINE "$engine does not answer this user: start its service, or run this as root"
    return 0
  fi
  ok ENGINE "$("$engine" --version | head -n 1)"
  if [ ${#compose[@]} -eq 0 ]; then
    problem COMPOSE "$engine has no Compose: install docker-compose-plugin, or podman-compose for podman"
    return 0
  fi
  version=$("${compose[@]}" version --short 2>/dev/null | tail -n 1 | sed 's/^v//') || version=
  if [ "${compose[*]}" = "docker compose" ] && ! newer "$version" 2.24; then
    problem COMPOSE "Docker Compose $version is too old for compose.yaml: install 2.24 or newer"
  else
    ok COMPOSE "${compose[*]} ${version:-}"
  fi
}

containers() {        # ids of a service's running containers in this stack
  "$engine" ps --quiet --filter "label=com.docker.compose.project=$(project)" \
    --filter "label=com.docker.compose.service=$1" 2>/dev/null
}
project() { local name; name=$(setting COMPOSE_PROJECT_NAME); printf '%s' "${name:-osteon}"; }

# ---- what a person wrote

check_env() {
  local name unknown=()
  if [ ! -f .env ]; then
    problem ENV_FILE "there is no $PWD/.env: run deploy/install.sh without --check, or copy .env.example, and change what is yours"
    return 0
  fi
  while read -r name; do
    grep -qE "^#?(${name}|${name%_FILE})=" .env.example || unknown+=("$name")
  done < <(sed -nE 's/^[[:space:]]*((STACK|OSTEON)_[A-Z0-9_]+)=.*/\1/p' .env)
  if [ ${#unknown[@]} -gt 0 ]; then
    problem ENV_FILE "$PWD/.env sets ${unknown[*]}, which .env.example does not know: correct the spelling"
  else
    ok ENV_FILE "$PWD/.env"
  fi
  case $(setting OSTEON_DESTINATIONS | tr -d '[:space:]') in
    "" | "[]") problem DESTINATIONS "OSTEON_DESTINATIONS names no PACS: write it into .env, .env.example has an example" ;;
    "["*"]") ok DESTINATIONS "results go to $(setting OSTEON_DESTINATIONS | grep -o '"ae_title"' | wc -l) PACS" ;;
    *) problem DESTINATIONS "OSTEON_DESTINATIONS is no list in JSON: compare it with the example in .env.example" ;;
  esac
  check_profiles
}

check_profiles() {
  local backend served=0
  backend=$(setting OSTEON_MODELS__BACKEND)
  if has_profile gpu || has_profile cpu; then served=1; fi
  if has_profile gpu && has_profile cpu; then
    problem PROFILES "COMPOSE_PROFILES has gpu and cpu: one Triton is enough, take one of them out"
  elif [ "$served" = 1 ] && [ "$backend" != triton ]; then
    problem PROFILES "COMPOSE_PROFILES starts a Triton that nobody asks: set OSTEON_MODELS__BACKEND=triton, or take it out"
  elif [ "$served" = 0 ] && [ "$backend" = triton ]; then
    problem PROFILES "OSTEON_MODELS__BACKEND is triton and no Triton starts: add gpu or cpu to COMPOSE_PROFILES"
  else
    ok PROFILES "models run $([ "$served" = 1 ] && echo "on Triton" || echo "in the worker"); profiles: $(setting COMPOSE_PROFILES)"
  fi
}

secret_owner() { if [ "$1" = grafana_password ]; then echo "$GRAFANA:0"; else echo "$OURS:$SERVERS"; fi; }
secret_names() { echo postgres_password redis_password; if has_profile monitoring; then echo grafana_password; fi; }

check_secrets() {
  local folder name trouble wrong=0
  folder=$(setting STACK_SECRETS)
  for name in $(secret_names); do
    trouble=$(secret_trouble "$folder" "$name")
    if [ -n "$trouble" ]; then problem SECRETS "$folder/$name $trouble"; wrong=1; fi
  done
  [ "$wrong" = 1 ] || ok SECRETS "$(secret_names | wc -w) files in $folder"
}

# What is wrong with a password file: nobody but root and its containers may read it, and these must.
secret_trouble() {
  local file=$1/$2 mode owner closed=0 wanted
  if ! [ -e "$file" ]; then echo "is missing: run deploy/install.sh without --check, it makes one"; return 0; fi
  if ! [ -s "$file" ]; then echo "is empty: remove it and run deploy/install.sh without --check"; return 0; fi
  mode=$((0$(stat -c %a "$file"))) owner=$(stat -c %u:%g "$file") wanted=$(secret_owner "$2")
  if [ $((0$(stat -c %a "$1") & 077)) -eq 0 ]; then closed=1; fi
  if [ $((mode & 0133)) -ne 0 ] || { [ $((mode & 04)) -ne 0 ] && [ "$closed" = 0 ]; }; then
    echo "has mode $(printf '%04o' "$mode"), so others may read or change it: chmod 0440 $file"
  elif [ $((mode & 04)) -eq 0 ] && [ "$owner" != "$wanted" ]; then
    echo "belongs to $owner, so its container cannot read it: chown $wanted $file"
  fi
}

check_backups() {
  local folder owner
  folder=$(setting STACK_BACKUPS)
  if ! [ -d "$folder" ]; then
    problem BACKUPS "$folder is missing: run deploy/install.sh without --check as root, or make it for user $OURS"
    return 0
  fi
  owner=$(stat -c %u "$folder")
  if [ "$owner" = "$OURS" ]; then ok BACKUPS "$folder is for osteon backup"
  else problem BACKUPS "$folder belongs to user $owner, so no backup can be written: chown $OURS:$OURS $folder"; fi
}

# ---- what the host has

listens() {           # is a TCP port taken, at any address
  local hex
  hex=$(printf '%04X' "$1")
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port=":$hex\$" '$4 == "0A" && $2 ~ port {found = 1} END {exit !found}'
}

check_port() {        # CODE VARIABLE SERVICE
  local port
  port=$(setting "$2")
  if ! [[ $port =~ ^[0-9]+$ ]] || [ "$port" -lt 1 ] || [ "$port" -gt 65535 ]; then
    problem "$1" "$2=$port is no port: write a number from 1 to 65535 into .env"
  elif ! listens "$port"; then
    ok "$1" "port $port is free"
  elif engine_answers && [ -n "$(containers "$3")" ]; then
    ok "$1" "port $port is this stack's $3"
  else
    problem "$1" "port $port is taken by another program (ss -ltnp shows it): stop that, or set $2 in .env"
  fi
}

check_ports() {
  check_port PORT_DICOM STACK_DICOM_PORT node
  check_port PORT_WEB STACK_WEB_PORT api
  if has_profile pacs; then check_port PORT_ORTHANC STACK_ORTHANC_PORT orthanc; fi
  if has_profile monitoring; then check_port PORT_GRAFANA STACK_GRAFANA_PORT grafana; fi
  case $(setting STACK_WEB_ADDRESS) in
    127.* | localhost | ::1) ;;
    *) note WEB_ADDRESS "STACK_WEB_ADDRESS lets other machines reach the web page, which speaks http: put a proxy with TLS before it" ;;
  esac
}

volumes_folder() {    # where this stack's volumes are or will be
  local place
  place=$("$engine" volume inspect --format '{{.Mountpoint}}' "$(project)_spool" 2>/dev/null) ||
    place=$("$engine" info --format '{{.DockerRootDir}}' 2>/dev/null) ||
    place=$("$engine" info --format '{{.Store.VolumePath}}' 2>/dev/null) || place=
  while [ -n "$place" ] && [ "$place" != / ] && ! [ -d "$place" ]; do place=$(dirname "$place"); done
  printf '%s' "$place"
}

check_disk() {
  local place kind free_mib floor_mib
  place=$(volumes_folder)
  if [ -z "$place" ]; then skipped DISK "$engine does not say where its volumes are"; return 0; fi
  kind=$(df --output=fstype "$place" | tail -n 1 | tr -d ' ')
  free_mib=$(df --output=avail --block-size=1M "$place" | tail -n 1 | tr -d ' ')
  floor_mib=$(awk -v gib="$(setting OSTEON_NODE__FREE_SPACE_FLOOR_GIB)" 'BEGIN {printf "%d", gib * 1024}')
  case $kind in
    tmpfs | ramfs | overlay | aufs | nfs | cifs | smb3 | 9p)
      problem DISK "volumes are in $place on $kind, where images or database are not safe: give $engine a local disk" ;;
    *)
      if [ "$free_mib" -le "$floor_mib" ]; then
        problem DISK "$free_mib MiB are free in $place ($kind), less than OSTEON_NODE__FREE_SPACE_FLOOR_GIB: make room"
      elif [ -w "$place" ] && ! durable "$place"; then
        problem DISK "fsync fails in $place ($kind): nothing written there is safe, take another disk"
      else
        ok DISK "$free_mib MiB are free in $place ($kind)"
      fi ;;
  esac
}

durable() {
  local file=$1/.osteon-check.$$ status=0
  dd if=/dev/zero of="$file" bs=4096 count=1 conv=fsync status=none 2>/dev/null && sync "$file" "$1" || status=1
  rm -f "$file"
  return $status
}

in_mib() {            # 12g, 512m
  case $1 in
    *[gG]) echo $((${1%?} * 1024)) ;;
    *[mM]) echo "${1%?}" ;;
    *) echo $(($1 / 1048576)) ;;
  esac
}

check_memory() {
  local have name needed=0 largest=0 mib names=(NODE WORKER API POSTGRES REDIS)
  have=$(awk '/^MemTotal:/ {print int($2 / 1024)}' /proc/meminfo)
  if has_profile gpu || has_profile cpu; then names+=(TRITON); fi
  for name in "${names[@]}"; do
    mib=$(in_mib "$(setting "STACK_${name}_MEMORY")")
    needed=$((needed + mib))
    [ "$mib" -le "$largest" ] || largest=$mib
  done
  if [ "$largest" -gt "$have" ]; then
    problem MEMORY "one container may take $largest MiB and this host has $have MiB: add memory, or lower its STACK_..._MEMORY in .env"
  elif [ "$needed" -gt "$have" ]; then
    note MEMORY "$have MiB; the containers together may take $needed MiB if all need their most at once"
  else
    ok MEMORY "$have MiB; the containers together may take $needed MiB"
  fi
}

check_cores() {
  local cores
  cores=$(nproc)
  if [ "$cores" -ge 2 ]; then ok CORES "$cores"; else problem CORES "$cores core: a study would take very long; give this host two or more"; fi
}

check_time() {
  local state=
  if command -v timedatectl >/dev/null; then state=$(timedatectl show --property NTPSynchronized --value 2>/dev/null) || state=; fi
  if [ -z "$state" ] && command -v chronyc >/dev/null; then
    if chronyc -n tracking 2>/dev/null | grep -q '^Leap status *: Normal'; then state=yes; else state=no; fi
  fi
  case $state in
    yes) ok TIME "the clock is synchronised" ;;
    no) problem TIME "the clock is not synchronised, so times in results would be wrong: switch NTP on (timedatectl set-ntp true, or chrony)" ;;
    *) skipped TIME "neither systemd nor chrony says whether the clock is synchronised: see to it that NTP runs" ;;
  esac
}

check_gpu() {
  local gpu
  has_profile gpu || return 0
  if ! gpu=$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null) || [ -z "$gpu" ]; then
    problem GPU_DRIVER "nvidia-smi finds no GPU: install NVIDIA's driver, or take the profile cpu"
    return 0
  fi
  ok GPU_DRIVER "$(echo "$gpu" | head -n 1)"
  if "$engine" info 2>/dev/null | grep -qi nvidia || ls /etc/cdi/nvidia*.yaml /var/run/cdi/nvidia*.yaml >/dev/null 2>&1; then
    ok GPU_TOOLKIT "$engine can give a GPU to a container"
  else
    problem GPU_TOOLKIT "$engine cannot give a GPU to a container: install nvidia-container-toolkit, run nvidia-ctk runtime configure, restart $engine"
  fi
}

# ---- images, and what only they can tell

check_images() {
  local service image missing=()
  images_here=1
  while read -r service image; do
    "$engine" image inspect "$image" >/dev/null 2>&1 || missing+=("$image")
  done < <(images)
  if [ ${#missing[@]} -eq 0 ]; then ok IMAGES "all are here"; return 0; fi
  case " ${missing[*]}" in
    *" localhost/"*) problem IMAGES "${missing[*]} are not here: load a bundle (--offline), name your registry (STACK_REGISTRY), or build: ${compose[*]} build" ;;
    *) note IMAGES "${missing[*]} are not here and will be fetched" ;;
  esac
  images_here=0
}

# Run `osteon doctor` in a container of this stack and pass its lines on.
ask_doctor() {        # SERVICE OPTIONS-OF-RUN -- ARGUMENTS
  local service=$1 options=() output status=0 lines
  shift
  while [ "$1" != -- ]; do options+=("$1"); shift; done
  shift
  output=$("${compose[@]}" --profile operate run --rm --no-deps -T "${options[@]}" "$service" doctor "$@" 2>&1) || status=$?
  lines=$(printf '%s\n' "$output" | grep -E '^(ok|problem|skipped) +[A-Z_]+ ' || true)
  if [ -n "$lines" ]; then
    printf '%s\n' "$lines"
    problems=$((problems + $(printf '%s\n' "$lines" | grep -c '^problem' || true)))
  elif [ "$status" -ne 0 ]; then
    problem SETTINGS "osteon doctor did not start: $(printf '%s\n' "$output" | tail -n 1)"
  fi
}

check_inside() {
  if [ "$images_here" = 0 ]; then
    skipped INSIDE "volumes and PACS are asked from inside the images, once they are here"
    return 0
  fi
  if [ "$mode" = install ]; then
    ask_doctor operate -- storage                      # the rest once it runs: the PACS may be one of this stack
  elif [ "$wait_echo_s" -gt 0 ] && [ -z "$(containers node)" ]; then
    ask_doctor operate -- storage door
    echo "         waiting $wait_echo_s s: send a C-ECHO from the PACS to $(setting OSTEON_NODE__AE_TITLE), this host, port $(setting STACK_DICOM_PORT)"
    ask_doctor node --service-ports -- pacs --wait-echo "$wait_echo_s"
  else
    ask_doctor operate -- storage door pacs
  fi
}

check() {
  find_engine
  check_engine
  check_env
  check_secrets
  check_backups
  check_ports
  check_memory
  check_cores
  check_time
  check_gpu
  if engine_answers && [ ${#compose[@]} -gt 0 ]; then
    check_disk
    check_images
    check_inside
  else
    skipped DISK "asked once the engine answers"
    skipped IMAGES "asked once the engine answers"
  fi
}
