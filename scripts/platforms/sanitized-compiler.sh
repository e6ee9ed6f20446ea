#!/bin/sh
# Compiles like zig, with the system's compiler and both sanitizers: sanitized-compiler.sh cc|c++ ARGUMENT...
# For `runtime/build/runtime.mjs --shell --compiler`. CC and CXX are other compilers. Findings in the engine's arithmetic, which
# the compilers define, are not of interest: only its memory is watched.
set -eu

kind=$1
shift
sanitizers=address,undefined
count=$#
while [ "$count" -gt 0 ]; do
  word=$1
  shift
  count=$((count - 1))
  case $word in
    -target) shift && count=$((count - 1)) ;;
    -static | -s | -O2 | -Os | -fno-sanitize=all | -DNDEBUG) ;;
    */quickjs.c | */libregexp.c | */libunicode.c | */dtoa.c) sanitizers=address && set -- "$@" "$word" ;;
    *) set -- "$@" "$word" ;;
  esac
done
if [ "$kind" = cc ]; then compiler=${CC:-cc}; else compiler=${CXX:-c++}; fi
exec $compiler "$@" -O1 -g1 -DSANITIZED -no-pie -fno-pie -w -fsanitize=$sanitizers -fno-sanitize=vptr \
  -fno-sanitize-recover=all -fno-omit-frame-pointer
