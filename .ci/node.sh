# Sourced where the dashboard is built or tested: finds a Node that its tools run on. Where the system's is too old,
# npm brings one into frontend/.node.

oldest_node=20.19.0
newer_node=24.21.0

node_is_recent() {
    command -v node >/dev/null 2>&1 &&
        [ "$(printf '%s\n%s\n' "$oldest_node" "$(node -p process.versions.node)" | sort -V | head -n 1)" = "$oldest_node" ]
}

# use_node FRONTEND: puts it first on the PATH.
use_node() {
    node_is_recent && return
    local arch place
    case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) arch=linux-x64 ;;
    Linux-aarch64) arch=linux-arm64 ;;
    Darwin-arm64) arch=darwin-arm64 ;;
    *) arch= ;;
    esac
    place=$1/.node
    if [ -n "$arch" ] && [ ! -x "$place/node_modules/node-$arch/bin/node" ] && command -v npm >/dev/null 2>&1; then
        echo "dashboard: Node $oldest_node or newer is needed: installing $newer_node into frontend/.node"
        npm install --prefix "$place" --no-save --no-audit --no-fund --ignore-scripts --loglevel=error \
            "node-$arch@$newer_node" || true
    fi
    PATH=$place/node_modules/node-$arch/bin:$PATH
    export PATH
    hash -r
    node_is_recent || { echo "dashboard: Node $oldest_node or newer is missing" >&2; return 1; }
}
