#!/bin/sh
# containerd-shim-jrunc-v2, the runtime io.containerd.jrunc.v2 of a daemon that is not ours.
#
# A daemon runs this for each container that it creates and for each that it deletes, and nearly
# always there is nothing to do: the host serves already, or has nothing of the container any more.
# What can be seen from files is answered here, without another process; all else is Java's below.
# The files and their rules are described in io.jcontainerd.shim.launch.

jrunc_version='@VERSION@'
namespace='' id='' address='' bundle=. action='' flag=''
for word do
  case $flag in
    '')
      case $word in
        -namespace | -id | -address | -bundle | -publish-binary) flag=$word ;;
        start | delete) action=$word ;;
        -debug) ;;
        *) action=other && break ;;
      esac
      ;;
    *)
      case $flag in
        -namespace) namespace=$word ;;
        -id) id=$word ;;
        -address) address=$word ;;
        -bundle) bundle=$word ;;
      esac
      flag=''
      ;;
  esac
done
[ -n "$namespace" ] && [ -n "$id" ] && [ -n "$address" ] || action=other

# The state folder of the host for this container; nothing if that takes reading more than names.
state_folder() {
  case ${JCONTAINERD_SHIM_GROUP:-node} in
    node) key=$jrunc_version@$address ;;
    namespace) key=$jrunc_version@$address@$namespace ;;
    container) key=$jrunc_version@$address@$namespace@$id ;;
    *) return 1 ;;
  esac
  [ "${#key}" -le 200 ] || return 1
  state=/run/jcontainerd/jrunc/$(
    set -f
    IFS=/
    case $key in */) end=% ;; *) end='' ;; esac
    # shellcheck disable=SC2086 # split at slashes
    set -- $key
    IFS=%
    printf '%s%s' "$*" "$end"
  )
}

# Tells the host of a client on its way, then looks whether it serves and lives.
find_host() {
  { echo > "$state/expected"; } 2> /dev/null || return 1
  { read -r pid began _ < "$state/serving" && read -r host < "$state/sockets/$namespace"; } 2> /dev/null || return 1
  { read -r stat < "/proc/$pid/stat"; } 2> /dev/null || return 1
  # shellcheck disable=SC2086 # split into the fields after the name, of which the 20th is the start
  set -- ${stat##*) }
  [ "$1" != Z ] && [ "${20}" = "$began" ] && [ -n "$host" ]
}

# What protobuf needs in bytes, as octal escapes for printf.
varint() {
  bytes=''
  rest=$1
  while [ "$rest" -ge 128 ]; do
    octal $((rest % 128 + 128))
    rest=$((rest / 128))
  done
  octal "$rest"
}
octal() { bytes=$bytes\\$(($1 / 64))$(($1 / 8 % 8))$(($1 % 8)); }

# Releases since 2.3 write their parameters to our input, a message that begins with the id (its tag
# is a line feed, its length a byte), and want a message back. Those since 1.7 understand JSON.
answer_start() {
  if [ -z "${MAX_SHIM_VERSION:-}" ]; then
    printf %s "$host"
    return
  fi
  IFS='' read -r line
  IFS='' read -r line
  case $line in '') IFS='' read -r line ;; *) line=${line#?} ;; esac
  next=$(printf '\022')
  case $line in
    "$id$next"*)
      varint ${#host}
      printf "\\010\\003\\022$bytes%s\\032\\005ttrpc" "$host"
      ;;
    *) printf '{"version":2,"address":"%s","protocol":"ttrpc"}' "$host" ;;
  esac
}

answer_delete() {
  { read -r pid < "$bundle/init.pid"; } 2> /dev/null
  case ${pid:-x} in *[!0-9]*) pid=0 ;; esac
  varint "$(date +%s)"
  at=$bytes
  varint "$pid"
  printf "\\010$bytes\\020\\211\\001\\032\\006\\010$at"
}

case $action in
  start)
    # shellcheck disable=SC2154 # set by the functions
    if state_folder && find_host && printf '%s\n' "$state" > shim-state && printf %s "$host" > address; then
      answer_start
      exit 0
    fi
    ;;
  delete)
    if { read -r state < "$bundle/shim-state"; } 2> /dev/null \
      && [ ! -e "$state/containers/$namespace/$id.json" ]; then
      answer_delete
      exit 0
    fi
    ;;
esac

# What a Java program says of these is taken for a part of the answer.
unset JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS _JAVA_OPTIONS

