# Sourced by make: the archive and what goes into it.

training=jcontainerd-training-$$ # the namespace, of which an OCI runtime's state is known on the whole machine

# An image of the static busybox, in the OCI layout.
training_image() { # FOLDER
  local work=$1/image blobs=$1/image/blobs/sha256 layer config manifest
  mkdir -p "$work/rootfs/bin" "$blobs"
  cp "$(command -v busybox)" "$work/rootfs/bin/busybox"
  ln -s busybox "$work/rootfs/bin/true"
  ln -s busybox "$work/rootfs/bin/sleep"
  tar -C "$work/rootfs" --owner=0 --group=0 -cf "$work/layer" .
  layer=$(blob "$work/layer" "$blobs")
  printf '{"architecture":"%s","os":"linux","config":{"Cmd":["true"]},"rootfs":{"type":"layers","diff_ids":["%s"]}}' \
    "$(arch)" "${layer%,*}" > "$work/config"
  config=$(blob "$work/config" "$blobs")
  printf '{"schemaVersion":2,"mediaType":"%s","config":%s,"layers":[%s]}' \
    application/vnd.oci.image.manifest.v1+json \
    "$(descriptor image.config.v1+json "$config")" "$(descriptor image.layer.v1.tar "$layer")" > "$work/manifest"
  manifest=$(blob "$work/manifest" "$blobs")
  printf '{"schemaVersion":2,"manifests":[%s]}' "$(descriptor image.manifest.v1+json "$manifest" \
    ',"annotations":{"io.containerd.image.name":"local/training:1"}')" > "$work/index.json"
  printf '{"imageLayoutVersion":"1.0.0"}' > "$work/oci-layout"
  tar -C "$work" -cf "$1/image.tar" oci-layout index.json blobs
}

blob() { # FILE FOLDER; prints DIGEST,SIZE
  local hash
  hash=$(sha256sum < "$1")
  hash=${hash%% *}
  mv "$1" "$2/$hash"
  printf 'sha256:%s,%s' "$hash" "$(stat -c %s "$2/$hash")"
}

descriptor() { # TYPE DIGEST,SIZE [FURTHER MEMBERS]
  printf '{"mediaType":"application/vnd.oci.%s","digest":"%s","size":%s%s}' "$1" "${2%,*}" "${2#*,}" "${3:-}"
}

# What clients do most, often enough that the recorded profiles tell what to compile.
training_work() { # SOCKET FOLDER
  local round ctr
  ctr="ctr -a $1 -n $training"
  $ctr version || return 1
  $ctr plugins ls || return 1
  $ctr namespaces create "$training" || return 1
  $ctr images import "$2/image.tar" || return 1
  $ctr run -d local/training:1 sleeper /bin/sleep 2147483647 || return 1
  for round in $(seq 300); do
    $ctr run --rm local/training:1 "run-$round" /bin/true || return 1
    $ctr tasks exec --exec-id "exec-$round" sleeper /bin/true || return 1
  done
  for round in images content snapshots containers tasks; do
    $ctr $round ls || return 1
  done
  $ctr tasks kill -s KILL sleeper || return 1
  await 60 "" sleeper_stopped "$ctr" || return 1
  $ctr tasks rm sleeper || true # which tells by its status that it was killed
  $ctr containers rm sleeper || return 1
}

sleeper_stopped() { # CTR
  $1 tasks ls | grep -q STOPPED
}

# The launcher for other daemons, when it has to start a host, which then goes at once.
training_launch() { # FOLDER WORK
  local state host launcher
  launcher=$(readlink -f "$1/bin/containerd-shim-jrunc-v2")
  mkdir "$2/bundle"
  env -C "$2/bundle" JCONTAINERD_RECORD_CACHE="$2/cache" TTRPC_ADDRESS="$2/none.ttrpc" "$launcher" \
    -namespace "$training" -address "$2/none" -publish-binary /bin/false -id one start < /dev/null || return 1
  state=$(cat "$2/bundle/shim-state")
  read -r host _ < "$state/serving"
  kill -9 "$host"
  rm -f "$(sed 's|^unix://||' "$2/bundle/address")" "$(cut -d ' ' -f 3 "$state/serving" | sed 's|^unix://||')"
  rm -rf "$state"
}

# Runs the daemon, its shim host, its launcher and jctr once: each writes down what it loaded, linked and compiled, and
# maps that the next time.
train() { # FOLDER
  local work daemon socket
  work=$(mktemp -d)
  socket=$work/c.sock
  echo "recording the start-up caches" >&2
  rm -f "$1"/lib/*.aot
  mkdir "$work/cache"
  printf 'version = 4\nimports = []\nroot = "%s/root"\nstate = "%s/state"\n' "$work" "$work" > "$work/config.toml"
  JCONTAINERD_RECORD_CACHE=$work/cache \
    "$1/bin/jcontainerd" --config "$work/config.toml" --address "$socket" > "$work/log" 2>&1 &
  daemon=$!
  if ! await 60 "$daemon" test -S "$socket"; then
    training_failed "$work" "$daemon" "the daemon did not start in training"
    return 1
  fi
  "$1/bin/jcontainerd" --address "$socket" publish --topic /training --namespace "$training" < /dev/null
  if [ "$(id -u)" = 0 ] && command -v ctr > /dev/null && command -v busybox > /dev/null; then
    training_image "$work"
    if ! training_work "$socket" "$work" > "$work/work.log" 2>&1; then
      cat "$work/work.log" >&2
      training_failed "$work" "$daemon" "the work of the training failed"
      return 1
    fi
    if ! training_launch "$1" "$work" >> "$work/work.log" 2>&1; then
      cat "$work/work.log" >&2
      training_failed "$work" "$daemon" "the shim's launcher failed in training"
      return 1
    fi
  else
    echo "make: no cache for the shim host, for that takes root, ctr and busybox" >&2
  fi
  if ! JCONTAINERD_RECORD_CACHE=$work/cache "$1/bin/jctr" --address "$socket" fsck --deep > "$work/jctr.log" 2>&1; then
    cat "$work/jctr.log" >&2
    training_failed "$work" "$daemon" "jctr failed in training"
    return 1
  fi
  kill "$daemon"
  wait "$daemon" || true
  # the host leaves when its daemon has left
  await 60 "" no_host "$work" || true
  forget_groups
  if [ ! -s "$work/cache/jcontainerd.aot" ]; then
    training_failed "$work" "$daemon" "no start-up cache was written"
    return 1
  fi
  mv "$work"/cache/*.aot "$1/lib/"
  in_small_pages "$1"/lib/*.aot
  rm -rf "$work"
}

# What was just written the kernel has in pieces of two megabytes, each of which becomes part of a process with one
# touch; what is read from the disk, as after a start of the machine, comes in small ones.
in_small_pages() { # FILE...
  local file
  sync "$@"
  for file in "$@"; do
    dd if="$file" iflag=nocache count=0 status=none
  done
}

# What OCI runtimes leave of a namespace: its control group.
forget_groups() {
  find /sys/fs/cgroup -mindepth 1 -depth -type d -name "$training" -exec rmdir {} + 2> /dev/null || true
}

no_host() { # FOLDER
  ! grep -qsF "$1/state" /proc/[0-9]*/cmdline
}

# Whether a command succeeds within a time; a process that must live meanwhile can be named.
await() { # SECONDS PID COMMAND...
  local tries=$(($1 * 10)) pid=$2
  shift 2
  until "$@"; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || return 1
    [ -z "$pid" ] || kill -0 "$pid" 2> /dev/null || return 1
    sleep 0.1
  done
}

training_failed() { # FOLDER PID REASON
  cat "$1/log" >&2
  kill "$2" 2> /dev/null || true
  wait "$2" || true
  await 60 "" no_host "$1" || true
  forget_groups
  rm -rf "$1"
  echo "make: $3" >&2
}

archive() {
  local name folder
  name=jcontainerd-$(version)-linux-$(arch)
  folder=target/dist/$name
  bake=
  rm -rf "$folder" "$folder.tar.gz"
  mkdir -p "$folder/etc/containerd" "$folder/lib/systemd/system"
  copy_jars "$folder/lib"
  "$JAVA_HOME/bin/jlink" --add-modules java.base,java.logging,java.management,java.naming,java.net.http,java.sql,jdk.httpserver,jdk.unsupported,jdk.management,jdk.net,jdk.crypto.ec \
    --strip-debug --no-header-files --no-man-pages --output "$folder/runtime"
  launchers "$folder"
  cp LICENSE README.md "$folder/"
  cp "$dist/jcontainerd.service" "$folder/lib/systemd/system/"
  "$folder/bin/jcontainerd" config default > "$folder/etc/containerd/config.toml"
  train "$folder"
  tar -C target/dist --owner=0 --group=0 -czf "$folder.tar.gz" "$name"
  echo "$folder.tar.gz" >&2
}
