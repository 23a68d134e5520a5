# Shared by the scripts in this directory.

# Many installers put cargo where only login shells look.
PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"

# step NAME COMMAND…: says what is being done, and how long it took or that it failed.
step() {
    local name=$1 begun=$SECONDS status=0
    shift
    printf '==> %s\n' "$name"
    "$@" || status=$?
    if [ "$status" -ne 0 ]; then
        printf '==> %s FAILED after %d s (status %d)\n' "$name" "$((SECONDS - begun))" "$status" >&2
        exit "$status"
    fi
    printf '==> %s: %d s\n' "$name" "$((SECONDS - begun))"
}
