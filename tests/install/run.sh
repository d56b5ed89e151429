#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tests/install/run.sh WHAT SOURCE WORK COMPILER: one test of the installation, run by ctest. All of it
# happens in the folder WORK; `prefix` is first, and makes the installation that the others use.
set -euo pipefail
what=$1 source=$2 work=$3 compiler=$4
prefix=$work/prefix
consumer=$source/tests/install/consumer
expected="385 = 385"

# expect_refusal REASON COMMAND...: the command fails, and says why (line breaks aside).
expect_refusal() {
  local reason=$1 said
  shift
  if said=$("$@" 2>&1); then
    echo "was not refused: $*" >&2
    exit 1
  fi
  if ! tr -s ' \n' ' ' <<<"$said" | grep -qF -- "$reason"; then
    printf 'was refused, but not because "%s":\n%s\n' "$reason" "$said" >&2
    exit 1
  fi
}

# configure BUILD OPTION...: the consumer, with nothing of ours but what the options name.
configure() {
  local build=$1
  shift
  rm -rf "$build"
  cmake -S "$consumer" -B "$build" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" \
    -DCMAKE_BUILD_TYPE=Release "$@"
}

expect_output() {
  local said
  said=$("$1")
  [ "$said" = "$expected" ] || { echo "it said '$said' instead of '$expected'" >&2; exit 1; }
}

ask_pkg_config() {
  PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name wherry-csp.pc)") pkg-config "$1" wherry-csp
}

case $what in
  prefix)
    rm -rf "$work"
    missing=()
    for package in Boost fmt SQLite3 doctest DuckDB; do
      missing+=("-DCMAKE_DISABLE_FIND_PACKAGE_$package=ON")
    done
    cmake -S "$source" -B "$work/csp" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" \
      -DCMAKE_BUILD_TYPE=Release -DWHERRY_ONLY_CSP=ON -DWHERRY_BUILD_TESTS=OFF "${missing[@]}"
    cmake --build "$work/csp"
    # Not where it will be used: an installation may be moved.
    cmake --install "$work/csp" --component csp --prefix "$work/elsewhere"
    mv "$work/elsewhere" "$prefix"
    if grep -rIl -e "$source" -e "$work" "$prefix"; then
      echo "these files name a place on this machine" >&2
      exit 1
    fi
    ;;
  find_package)
    configure "$work/package" -DCMAKE_PREFIX_PATH="$prefix"
    cmake --build "$work/package"
    expect_output "$work/package/consumer"
    ;;
  component)
    mkdir -p "$work/asks"
    printf '%s\n' 'cmake_minimum_required(VERSION 3.25)' 'project(asks LANGUAGES CXX)' \
      'find_package(wherry REQUIRED COMPONENTS csp engine)' >"$work/asks/CMakeLists.txt"
    consumer=$work/asks expect_refusal "The component 'engine' of wherry is not installed" \
      configure "$work/component" -DCMAKE_PREFIX_PATH="$prefix"
    consumer=$work/asks expect_refusal "; installed: csp." \
      configure "$work/component" -DCMAKE_PREFIX_PATH="$prefix"
    ;;
  pkg_config)
    read -ra flags <<<"$(ask_pkg_config --cflags)"
    read -ra libraries <<<"$(ask_pkg_config --libs)"
    "$compiler" "${flags[@]}" "$consumer/main.cpp" -o "$work/by_pkg_config" "${libraries[@]}"
    expect_output "$work/by_pkg_config"
    ;;
  headers)
    read -ra flags <<<"$(ask_pkg_config --cflags)"
    cd "$prefix/include"
    find wherry -name '*.hpp' | sort >"$work/headers"
    diff -u <(cd "$source/include" && find wherry/csp -name '*.hpp' | sort) "$work/headers"
    xargs -P "$(nproc)" -I{} "$compiler" "${flags[@]}" -Wall -Wextra -Werror -fsyntax-only \
      -include {} -x c++ /dev/null <"$work/headers"
    # -M: which files were read. None from anywhere but the prefix.
    sed 's/.*/#include <&>/' "$work/headers" | "$compiler" "${flags[@]}" -M -x c++ - >"$work/read"
    ! grep -F "$source/include" "$work/read"
    ;;
  part)
    configure "$work/part" -DWHERRY_SOURCE="$source" -DCMAKE_DISABLE_FIND_PACKAGE_Boost=ON
    cmake --build "$work/part"
    expect_output "$work/part/consumer"
    ctest --test-dir "$work/part" -N | grep -q 'Total Tests: 0'
    cmake --install "$work/part" --prefix "$work/part_installed"
    [ ! -e "$work/part_installed" ] || { echo "it installs what nobody asked for" >&2; exit 1; }
    ;;
  old_compiler)
    old=$(command -v g++-12 || true)
    [ -n "$old" ] || { echo "skipped: there is no g++-12"; exit 77; }
    compiler=$old expect_refusal "miscompiles C++ coroutines" \
      configure "$work/old" -DCMAKE_PREFIX_PATH="$prefix"
    expect_refusal "GCC before 13 miscompiles C++ coroutines" \
      "$old" -std=c++23 -fsyntax-only "-I$prefix/include" "$consumer/main.cpp"
    expect_refusal "compile as C++23" \
      "$compiler" -std=c++20 -fsyntax-only "-I$prefix/include" "$consumer/main.cpp"
    ;;
  *)
    echo "tests/install/run.sh: no test '$what'" >&2
    exit 2
    ;;
esac
