# shellcheck shell=bash
# What install.sh and bundle.sh know of the stack beside them: its variables, its engine, its images. Sourced in this folder.

declare -A settings=()

# Read every variable: the default that .env.example shows, else what .env says.
# shellcheck disable=SC2094 # nothing is written
read_settings() {
  local line file
  settings=()
  for file in .env.example .env; do
    [ -f "$file" ] || continue
    while IFS= read -r line || [ -n "$line" ]; do
      if [ "$file" = .env.example ]; then line=${line#\#}; fi
      if [[ $line =~ ^[[:space:]]*([A-Z][A-Z0-9_]*)=(.*)$ ]]; then bare "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"; fi
    done <"$file"
  done
}

bare() {              # keep a value without the spaces after it and the quotes around it
  local value=${2%"${2##*[![:space:]]}"}
  case $value in
    \"*\" | \'*\') value=${value:1:${#value}-2} ;;
  esac
  settings[$1]=$value
}

# The value of a variable: the environment's, else as read.
setting() {
  if [ -n "${!1+set}" ]; then printf '%s' "${!1}"; else printf '%s' "${settings[$1]:-}"; fi
}

has_profile() { case ",$(setting COMPOSE_PROFILES | tr -d ' ')," in *",$1,"*) return 0 ;; *) return 1 ;; esac; }

# Set engine (docker, podman or empty) and compose (its Compose as words, or nothing).
# shellcheck disable=SC2034 # compose is for those who source this
find_engine() {
  engine=${ENGINE:-}
  if [ -z "$engine" ]; then
    for engine in docker podman ""; do
      if [ -n "$engine" ] && command -v "$engine" >/dev/null; then break; fi
    done
  fi
  compose=()
  if [ -z "$engine" ]; then return 0; fi
  if [ -n "${COMPOSE:-}" ]; then read -ra compose <<<"$COMPOSE"
  elif "$engine" compose version >/dev/null 2>&1; then compose=("$engine" compose)
  elif [ "$engine" = podman ] && command -v podman-compose >/dev/null; then compose=(podman-compose)
  fi
}

engine_answers() { [ -n "$engine" ] && "$engine" info >/dev/null 2>&1; }

# Images of compose.yaml that this stack starts or runs, as "SERVICE IMAGE".
images() {
  local service profile image
  awk '/^services:/ {on = 1} /^networks:/ {on = 0}
       on && /^  [a-z-]+:$/ {service = $1; profile = "-"}
       on && /^    profiles:/ {profile = $2; gsub(/[][,]/, "", profile)}
       on && /^    image:/ {print service, profile, $2}' compose.yaml |
    while read -r service profile image; do
      case $profile in
        - | operate) ;;
        *) has_profile "$profile" || continue ;;
      esac
      printf '%s %s\n' "${service%:}" "$(expand "$image")"
    done
}

# ${NAME:-default} of compose.yaml, with the values of this stack.
expand() {
  local text=$1 value
  while [[ $text =~ \$\{([A-Z_]+):-([^}]*)\} ]]; do
    value=$(setting "${BASH_REMATCH[1]}")
    text=${text/"${BASH_REMATCH[0]}"/"${value:-${BASH_REMATCH[2]}}"}
  done
  printf '%s' "$text"
}

read_settings
