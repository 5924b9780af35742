# Sourced by make: the archive and what goes into it.

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

# Where the daemon looks for the host's program while it is trained: this one asks the daemon's own
# virtual machine to be the host, and stays so that it can be seen to live.
training_host() { # FOLDER
  mkdir -p "$1/bin"
  cat > "$1/bin/jcontainerd-shim-host" << END
#!/bin/sh
printf '%s\n' "\$@" > "$1/request.new"
echo \$\$ > "$1/host.pid"
mv "$1/request.new" "$1/request"
exec sleep 2147483647
END
  chmod 755 "$1/bin/jcontainerd-shim-host"
}

# What clients do most, often enough that the recorded profiles tell what to compile.
training_work() { # SOCKET FOLDER
  local round ctr
  ctr="ctr -a $1 -n training"
  $ctr version
  $ctr plugins ls
  $ctr namespaces create training
  $ctr images import "$2/image.tar"
  $ctr run -d local/training:1 sleeper /bin/sleep 2147483647
  for round in $(seq 60); do
    $ctr run --rm local/training:1 "run-$round" /bin/true
    $ctr tasks exec --exec-id "exec-$round" sleeper /bin/true
  done
  $ctr images ls
  $ctr content ls
  $ctr snapshots ls
  $ctr containers ls
  $ctr tasks ls
  $ctr tasks kill -s KILL sleeper
  until $ctr tasks ls | grep -q STOPPED; do sleep 0.1; done
  $ctr tasks rm sleeper
  $ctr containers rm sleeper
}

# Runs the daemon and the shim host once, in one virtual machine: it writes down what it loaded,
# linked and compiled, and both map that the next time, one copy for the two of them.
train() { # FOLDER
  local work pid socket tries=0
  work=$(mktemp -d)
  socket=$work/c.sock
  echo "recording the start-up cache" >&2
  training_host "$work"
  printf 'version = 4\nimports = []\nroot = "%s/root"\nstate = "%s/state"\n' "$work" "$work" > "$work/config.toml"
  rm -f "$1/lib/jcontainerd.aot"
  sed -e "s|-Djcontainerd.bin=\"\$here\"|-Djcontainerd.bin=\"$work/bin\" -Dtraining.request=\"$work/request\"|" \
    -e 's|io.jcontainerd.daemon.Main|io.jcontainerd.training.Training|' "$1/bin/jcontainerd" > "$1/bin/training"
  chmod 755 "$1/bin/training"
  JCONTAINERD_JAVA_OPTIONS="-XX:AOTCacheOutput=$1/lib/jcontainerd.aot" \
    "$1/bin/training" --config "$work/config.toml" --address "$socket" > "$work/log" 2>&1 &
  pid=$!
  until [ -S "$socket" ]; do
    tries=$((tries + 1))
    if [ "$tries" -gt 600 ] || ! kill -0 "$pid" 2> /dev/null; then
      training_failed "$work" "$pid" "the daemon did not start in training"
      return 1
    fi
    sleep 0.1
  done
  "$1/bin/jcontainerd" --address "$socket" publish --topic /training --namespace training < /dev/null
  if [ "$(id -u)" = 0 ] && command -v ctr > /dev/null && command -v busybox > /dev/null; then
    training_image "$work"
    if ! training_work "$socket" "$work" > "$work/work.log" 2>&1; then
      cat "$work/work.log" >&2
      training_failed "$work" "$pid" "the work of the training failed"
      return 1
    fi
  else
    echo "make: the cache knows no container's start, for that takes root, ctr and busybox" >&2
  fi
  kill "$pid"
  wait "$pid" || true
  if [ ! -s "$1/lib/jcontainerd.aot" ]; then
    training_failed "$work" "$pid" "no start-up cache was written"
    return 1
  fi
  training_over "$work"
  rm -f "$1/bin/training"
}

training_failed() { # FOLDER PID REASON
  cat "$1/log" >&2
  kill "$2" 2> /dev/null || true
  wait "$2" || true
  training_over "$1"
  echo "make: $3" >&2
}

training_over() { # FOLDER
  [ ! -f "$1/host.pid" ] || kill "$(cat "$1/host.pid")"
  rm -rf "$1"
}

archive() {
  local name folder
  name=jcontainerd-$(version)-linux-$(arch)
  folder=target/dist/$name
  bake=
  rm -rf "$folder" "$folder.tar.gz"
  mkdir -p "$folder/etc/containerd" "$folder/lib/systemd/system"
  copy_jars "$folder/lib"
  "$JAVA_HOME/bin/jlink" --add-modules java.base,java.logging,java.management,java.naming,java.net.http,java.sql,jdk.unsupported,jdk.management,jdk.net,jdk.crypto.ec \
    --strip-debug --no-header-files --no-man-pages --output "$folder/runtime"
  launchers "$folder"
  cp LICENSE README.md "$folder/"
  cp "$dist/jcontainerd.service" "$folder/lib/systemd/system/"
  "$folder/bin/jcontainerd" config default > "$folder/etc/containerd/config.toml"
  train "$folder"
  tar -C target/dist --owner=0 --group=0 -czf "$folder.tar.gz" "$name"
  echo "$folder.tar.gz" >&2
}
