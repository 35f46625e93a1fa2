#!/bin/sh
# Make shapes.json anew from the types that Grafana publishes. Needs node and npm.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/shapes.ts" "$work"
cd "$work"
npm install --no-audit --no-fund --ignore-scripts @grafana/schema@11.6.0 ts-json-schema-generator@2.4.0
npx ts-json-schema-generator --path shapes.ts --type Shapes --no-type-check --expose none --jsDoc none --minify --out "$here/shapes.json"
