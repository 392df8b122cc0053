#!/usr/bin/env bash
# Builds @tensorflow/tfjs-node from its sources against the TensorFlow of PyPI, where its own install cannot download libtensorflow:
# installs the package without its install script, takes libraries and headers out of the wheel, and compiles the binding.
# Linux x86-64; needs npm, pip, unzip and g++, and 0.9 GB. `npm ci` removes all of it again.
set -euo pipefail
cd "$(dirname "$0")/../../.."

tfjs=4.22.0 tensorflow=2.15.1 headers=1.9.0
package=$PWD/node_modules/@tensorflow/tfjs-node
wheel=$(mktemp -d)
trap 'rm -rf "$wheel"' EXIT

npm install --no-save --ignore-scripts "@tensorflow/tfjs-node@$tfjs" "node-api-headers@$headers"
# the wheels of all Python versions hold the same library
python3 -m pip download --quiet --no-deps --dest "$wheel" --only-binary :all: --implementation cp --python-version 3.11 \
  --platform manylinux2014_x86_64 "tensorflow-cpu==$tensorflow"
unzip -q "$wheel"/*.whl 'tensorflow/libtensorflow_*.so.2' 'tensorflow/include/tensorflow/*' 'tensorflow/include/tsl/*' -d "$wheel"

# the places where the package's own install puts them
rm -rf "$package/deps"
mkdir -p "$package/deps/lib" "$package/lib/napi-v8"
mv "$wheel"/tensorflow/libtensorflow_*.so.2 "$package/deps/lib"
g++ -std=c++17 -O2 -fPIC -shared -DNAPI_VERSION=8 -I"$wheel/tensorflow/include" -Inode_modules/node-api-headers/include \
  "$package"/binding/*.cc -L"$package/deps/lib" -l:libtensorflow_cc.so.2 -l:libtensorflow_framework.so.2 \
  '-Wl,-rpath,$ORIGIN/../../deps/lib' -o "$package/lib/napi-v8/tfjs_binding.node"

TF_CPP_MIN_LOG_LEVEL=2 node -e "
  require('@tensorflow/tfjs-node');
  console.log('@tensorflow/tfjs-node runs on TensorFlow', require('$package/lib/napi-v8/tfjs_binding.node').TF_Version);"
