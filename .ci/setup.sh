#!/usr/bin/env bash
# Installs what is missing, by the system's package manager, and nothing else. Quick when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

has() { command -v "$1" >/dev/null 2>&1; }

has_postgres() {
    local programs
    for programs in "$(pg_config --bindir 2>/dev/null || true)" /usr/lib/postgresql/*/bin \
        /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin; do
        [ -x "$programs/initdb" ] && [ -x "$programs/postgres" ] && return 0
    done
    has initdb && has postgres
}

# Debian splits venv off: the module is there, and fails when it needs pip.
has_venv() { has python3 && python3 -c 'import ensurepip, venv' >/dev/null 2>&1; }

missing=()
has_postgres || missing+=(postgresql)
{ has cc && has make; } || missing+=(build-essential)
has pkg-config || missing+=(pkg-config)
has_venv || missing+=(python3-venv)
has node || missing+=(nodejs)
has npm || missing+=(npm)
# openapi-generator is a Java program.
has java || missing+=(default-jre-headless)
has chromium || missing+=(chromium)
has hledger || missing+=(hledger)

if ! has cargo; then
    echo "setup: cargo is missing; install Rust from https://rustup.rs" >&2
    exit 1
fi
if [ ${#missing[@]} -eq 0 ]; then
    echo "setup: everything is installed"
    exit 0
fi
if ! has apt-get; then
    echo "setup: install these with your package manager: ${missing[*]}" >&2
    exit 1
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! has sudo; then
        echo "setup: run as root, or install these yourself: ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi

apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@"
}

updated=no
install() {
    echo "setup: installing $*"
    if [ $updated = no ] && ! apt install -y --no-install-recommends "$@" >/dev/null 2>&1; then
        echo "setup: refreshing the package lists"
        apt update
        updated=yes
    fi
    # After a refresh this is the attempt whose errors matter; otherwise it finds nothing to do.
    apt install -y --no-install-recommends "$@" >/dev/null
}

for package in "${missing[@]}"; do
    if [ "$package" = postgresql ]; then
        # The package would start a server of its own, which nobody here uses.
        install postgresql-common
        "${as_root[@]}" sed -i -E 's/^#?\s*create_main_cluster\s*=.*/create_main_cluster = false/' \
            /etc/postgresql-common/createcluster.conf
    fi
done
install "${missing[@]}"
echo "setup: done"
