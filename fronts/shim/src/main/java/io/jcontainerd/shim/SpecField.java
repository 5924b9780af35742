package io.jcontainerd.shim;

import io.jcontainerd.oci.json.Json;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonBoolean;
import io.jcontainerd.oci.json.JsonNull;
import io.jcontainerd.oci.json.JsonNumber;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.json.JsonString;
import io.jcontainerd.oci.runtime.Spec;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A field of config.json that not every runtime knows. Runtimes leave out silently what they do not
 * know.
 *
 * @param name its path; after {@code []} of any element, after {@code =} with one of these values
 * @param version of the specification in which it came
 * @param since from which version of its own a runtime knows it, where that is another story
 * @param dispensable whether a container may run without it: it loses no limit, is no less apart
 *     from others and misses nothing that it was to have
 */
record SpecField(
    String name, SpecVersion version, Map<String, SpecVersion> since, boolean dispensable) {

  /**
   * Field, version of the specification, of runc and of crun ({@code -}: goes by the version of the
   * specification that it announces), and what happens without it. Values that runtimes refuse by
   * themselves, such as actions and flags of seccomp, are left to them.
   */
  private static final String TABLE =
      """
      hooks.createContainer                         1.0.2 1.0.0 0.12   refused
      hooks.createRuntime                           1.0.2 1.0.0 0.12   refused
      hooks.startContainer                          1.0.2 1.0.0 0.12   refused
      linux.intelRdt.closID                         1.0.2 1.1.0 1.10   refused
      linux.intelRdt.l3CacheSchema                  1.0.0 1.0.0 1.10   refused
      linux.intelRdt.memBwSchema                    1.0.2 1.0.0 1.10   refused
      linux.personality                             1.0.2 1.2.0 0.11   told
      linux.resources.memory.useHierarchy           1.0.2 -     1.0    told
      linux.resources.rdma                          1.0.2 1.1.0 -      refused
      linux.seccomp.flags                           1.0.2 1.2.0 0.9    told
      process.user.umask                            1.0.2 1.0.0 0.11   refused
      vm                                            1.0.2 -     -      told
      domainname                                    1.1.0 1.2.0 1.7    told
      linux.intelRdt.enableCMT                      1.1.0 -     -      told
      linux.intelRdt.enableMBM                      1.1.0 -     -      told
      linux.namespaces[].type=time                  1.1.0 1.2.0 0.12.2 refused
      linux.resources.cpu.burst                     1.1.0 1.2.0 1.11   told
      linux.resources.cpu.idle                      1.1.0 1.2.0 1.5    told
      linux.resources.memory.checkBeforeUpdate      1.1.0 1.2.0 1.7    told
      linux.resources.unified                       1.1.0 1.0.0 0.15   refused
      linux.seccomp.defaultErrnoRet                 1.1.0 1.0.0 0.19   told
      linux.seccomp.listenerMetadata                1.1.0 1.1.0 0.19   refused
      linux.seccomp.listenerPath                    1.1.0 1.1.0 0.19   refused
      linux.seccomp.syscalls[].errnoRet             1.1.0 1.0.0 0.14   told
      linux.timeOffsets                             1.1.0 1.2.0 1.8.4  refused
      mounts[].gidMappings                          1.1.0 1.2.0 1.5    refused
      mounts[].options[]=rro|rnosuid|rnodev|rnoexec 1.1.0 1.1.0 1.4    refused
      mounts[].uidMappings                          1.1.0 1.2.0 1.5    refused
      process.ioPriority                            1.1.0 1.2.0 1.8.6  told
      process.scheduler                             1.1.0 1.2.0 1.8.5  told
      mounts[].options[]=idmap                      1.2.0 1.2.0 1.4    refused
      mounts[].options[]=ridmap                     1.2.0 1.2.0 1.9    refused
      process.execCPUAffinity                       1.2.1 1.3.0 1.19   told
      linux.intelRdt.enableMonitoring               1.3.0 1.5.0 1.24   told
      linux.intelRdt.schemata                       1.3.0 1.5.0 1.22   refused
      linux.memoryPolicy                            1.3.0 1.5.0 1.24   told
      linux.netDevices                              1.3.0 1.4.0 1.22   refused
      vm.hwConfig                                   1.3.0 -     -      told
      """;

  private static final List<SpecField> ALL = TABLE.lines().map(SpecField::of).toList();

  private static SpecField of(String line) {
    String[] words = line.split(" +", -1);
    return new SpecField(
        words[0],
        SpecVersion.parse(words[1]),
        Stream.of(Map.entry("runc", words[2]), Map.entry("crun", words[3]))
            .filter(own -> !own.getValue().equals("-"))
            .collect(
                Collectors.toUnmodifiableMap(
                    Map.Entry::getKey, own -> SpecVersion.parse(own.getValue()))),
        words[4].equals("told"));
  }

  SpecField {
    since = Map.copyOf(since);
  }

  /** Those that the document uses. */
  static List<SpecField> usedBy(Spec spec) {
    return ALL.stream().filter(field -> isUsed(spec.json(), field.name())).toList();
  }

  /** Whether a runtime of that name, version and announcement does what the field asks for. */
  boolean isKnownTo(RuntimeVersion runtime) {
    SpecVersion from = since.get(runtime.name());
    Optional<SpecVersion> own = runtime.own();
    if (from != null && own.isPresent()) {
      return own.get().compareTo(from) >= 0;
    }
    return runtime.newest().compareTo(version) >= 0;
  }

  private static boolean isUsed(Json value, String path) {
    if (path.isEmpty()) {
      return says(value);
    }
    if (path.startsWith("=")) {
      return value instanceof JsonString(String text)
          && Set.of(path.substring(1).split("\\|", -1)).contains(text);
    }
    if (path.startsWith("[]")) {
      return value instanceof JsonArray(List<Json> elements)
          && elements.stream().anyMatch(element -> isUsed(element, path.substring(2)));
    }
    String name = path.startsWith(".") ? path.substring(1) : path;
    int end = 0;
    while (end < name.length() && Character.isLetterOrDigit(name.charAt(end))) {
      end++;
    }
    String rest = name.substring(end);
    return value instanceof JsonObject object
        && object.field(name.substring(0, end)).filter(field -> isUsed(field, rest)).isPresent();
  }

  /** Whether the value is another one than that of a field that is not there. */
  private static boolean says(Json value) {
    return switch (value) {
      case JsonNull _ -> false;
      case JsonBoolean flag -> flag.value();
      case JsonString(String text) -> !text.isEmpty();
      case JsonArray(List<Json> elements) -> !elements.isEmpty();
      case JsonObject object -> !object.isEmpty();
      case JsonNumber _ -> true;
    };
  }
}
