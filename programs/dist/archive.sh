# Sourced by make: the archive and what goes into it.

# Runs the daemon once in training: the virtual machine writes down what it loaded, linked and
# compiled, and maps it the next time. The shim host is started through a container where there is
# a runtime for one, and shares the cache either way, for both have the same class path.
train() { # FOLDER
  local work pid socket tries=0
  work=$(mktemp -d)
  socket=$work/c.sock
  echo "recording the start-up cache" >&2
  printf 'version = 4\nimports = []\nroot = "%s/root"\nstate = "%s/state"\n' "$work" "$work" > "$work/config.toml"
  rm -f "$1/lib/jcontainerd.aot"
  JCONTAINERD_JAVA_OPTIONS="-XX:AOTCacheOutput=$1/lib/jcontainerd.aot" \
    "$1/bin/jcontainerd" --config "$work/config.toml" --address "$socket" > "$work/log" 2>&1 &
  pid=$!
  until [ -S "$socket" ]; do
    tries=$((tries + 1))
    if [ "$tries" -gt 600 ] || ! kill -0 "$pid" 2> /dev/null; then
      cat "$work/log" >&2
      kill "$pid" 2> /dev/null || true
      rm -rf "$work"
      echo "make: the daemon did not start in training" >&2
      return 1
    fi
    sleep 0.1
  done
  # some real calls, so that their classes are in the cache
  "$1/bin/jcontainerd" --address "$socket" publish --topic /training --namespace training < /dev/null || true
  if command -v ctr > /dev/null; then
    ctr -a "$socket" version > /dev/null 2>&1 || true
    ctr -a "$socket" plugins ls > /dev/null 2>&1 || true
    ctr -a "$socket" namespaces create training > /dev/null 2>&1 || true
    ctr -a "$socket" -n training images ls > /dev/null 2>&1 || true
    ctr -a "$socket" -n training content ls > /dev/null 2>&1 || true
    ctr -a "$socket" -n training snapshots ls > /dev/null 2>&1 || true
    ctr -a "$socket" -n training containers ls > /dev/null 2>&1 || true
    ctr -a "$socket" -n training tasks ls > /dev/null 2>&1 || true
  fi
  kill "$pid"
  wait "$pid" || true
  if [ ! -s "$1/lib/jcontainerd.aot" ]; then
    cat "$work/log" >&2
    rm -rf "$work"
    echo "make: no start-up cache was written" >&2
    return 1
  fi
  rm -rf "$work"
}

archive() {
  local name folder
  name=jcontainerd-$(version)-linux-$(arch)
  folder=target/dist/$name
  bake=
  rm -rf "$folder" "$folder.tar.gz"
  mkdir -p "$folder/etc/containerd" "$folder/lib/systemd/system"
  copy_jars "$folder/lib"
  "$JAVA_HOME/bin/jlink" --add-modules java.base,java.logging,java.management,java.naming,java.net.http,java.sql,jdk.unsupported,jdk.net,jdk.crypto.ec \
    --strip-debug --no-header-files --no-man-pages --output "$folder/runtime"
  launchers "$folder"
  cp LICENSE README.md "$folder/"
  cp "$dist/jcontainerd.service" "$folder/lib/systemd/system/"
  "$folder/bin/jcontainerd" config default > "$folder/etc/containerd/config.toml"
  train "$folder"
  tar -C target/dist --owner=0 --group=0 -czf "$folder.tar.gz" "$name"
  echo "$folder.tar.gz" >&2
}
