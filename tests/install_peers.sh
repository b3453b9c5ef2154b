#!/usr/bin/env bash
# The real programs that the tests talk to, from Debian's packages. Installs what is missing where it may.
set -euo pipefail

missing=()
[ -x /usr/sbin/Orthanc ] || missing+=(orthanc)
[ -x /usr/bin/storescu ] || missing+=(dcmtk)
[ -x /usr/bin/dciodvfy ] || missing+=(dicom3tools)
command -v strace >/dev/null || missing+=(strace)
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "The tests need these Debian packages: ${missing[*]}." >&2
  echo "Install them (sudo apt-get install --no-install-recommends ${missing[*]}) and run make test again." >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
