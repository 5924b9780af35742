#!/bin/sh
# Starts @NAME@ with the Java runtime beside it or, without one, with the machine's JDK 25.
set -eu
here=$(dirname -- "$(readlink -f -- "$0")")
lib=$here/../lib
if [ ! -e "@FIRST@" ]; then
  # a copy of this file elsewhere belongs to the installation that is on the path
  here=$(command -v jcontainerd) || {
    echo "@NAME@: neither beside its libraries nor is jcontainerd on the path" >&2
    exit 1
  }
  here=$(dirname -- "$(readlink -f -- "$here")")
  lib=$here/../lib
fi

java=$here/../runtime/bin/java
if [ ! -x "$java" ]; then
  for home in "${JAVA_HOME:-}" '@JAVA_HOME@' /usr/lib/jvm/*; do
    java=$home/bin/java
    [ -n "$home" ] && [ -e "$home/release" ] && grep -q '^JAVA_VERSION="25' "$home/release" && break
    java=
  done
  [ -n "$java" ] || {
    echo "@NAME@: no Java 25 found; install one and set JAVA_HOME" >&2
    exit 1
  }
fi

if [ -n "${JCONTAINERD_RECORD_CACHE:-}" ]; then
  # a folder that gets a start-up cache of this run when it ends
  cache="-XX:AOTCacheOutput=$JCONTAINERD_RECORD_CACHE/@NAME@.aot"
elif [ -e "$lib/@NAME@.aot" ]; then
  # a cache that does not fit is left aside by the virtual machine
  cache="-XX:AOTCache=$lib/@NAME@.aot"
fi
# shellcheck disable=SC2086 # several options in one variable are meant
exec "$java" ${cache:+"$cache"} ${JCONTAINERD_JAVA_OPTIONS:-} \
  -Djcontainerd.bin="$here" @FLAGS@ \
  -cp "@CLASSPATH@" \
  @MAIN@ "$@"
