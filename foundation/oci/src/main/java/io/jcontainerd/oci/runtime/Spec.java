package io.jcontainerd.oci.runtime;

import static java.util.stream.Collectors.joining;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.oci.json.Json;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonNull;
import io.jcontainerd.oci.json.JsonObject;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;

/**
 * A container's configuration in the OCI runtime specification, {@code config.json}.
 *
 * <p>A view over the JSON document: readers answer what is there, changers return a copy in which
 * everything else stands as it was, known to us or not. What has no method here is reached through
 * {@link #json} and {@link #patch}.
 *
 * @param json the document
 */
public record Spec(JsonObject json) {
  /** The type URL under which containerd's API carries a specification, its value being JSON. */
  public static final String TYPE_URL = "types.containerd.io/opencontainers/runtime-spec/1/Spec";

  /** The type URL of a {@code process} object, as given to an exec. */
  public static final String PROCESS_TYPE_URL =
      "types.containerd.io/opencontainers/runtime-spec/1/Process";

  /** The type URL of a {@code linux.resources} object, as given to an update. */
  public static final String RESOURCES_TYPE_URL =
      "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources";

  /**
   * Reads a document.
   *
   * @throws InvalidArgumentException when it is not a JSON object
   */
  public static Spec parse(byte[] bytes) {
    return new Spec(JsonObject.parse(bytes));
  }

  /** The document as UTF-8, fit for {@code config.json}. */
  public byte[] toBytes() {
    return json.toBytes();
  }

  /** The version of the specification that the document claims. */
  public String ociVersion() {
    return json.string("ociVersion").orElse("");
  }

  /** Names the container's host. */
  public Optional<String> hostname() {
    return json.string("hostname");
  }

  /** The root folder; relative to the bundle unless absolute. */
  public Optional<String> rootPath() {
    return object("root").string("path");
  }

  /** True when the root is mounted for reading only. */
  public boolean rootReadonly() {
    return object("root").flag("readonly");
  }

  /** Key-value notes, in order. */
  public Map<String, String> annotations() {
    return json.stringMap("annotations");
  }

  /** The program and its arguments. */
  public List<String> args() {
    return object("process").strings("args");
  }

  /** The environment as {@code NAME=value}. */
  public List<String> env() {
    return object("process").strings("env");
  }

  /** The working folder. */
  public Optional<String> cwd() {
    return object("process").string("cwd");
  }

  /** True when the process gets a terminal. */
  public boolean terminal() {
    return object("process").flag("terminal");
  }

  /** Whom the process runs as. */
  public SpecUser user() {
    return SpecUser.of(object("process", "user"));
  }

  /** The oom killer's bias, when set. */
  public OptionalLong oomScoreAdj() {
    return object("process").integer("oomScoreAdj");
  }

  /** The process's limits. */
  public List<Rlimit> rlimits() {
    return object("process").objects("rlimits").stream().map(Rlimit::of).toList();
  }

  /** One of the sets of capabilities: bounding, effective, permitted, inheritable, ambient. */
  public List<String> capabilities(String set) {
    return object("process", "capabilities").strings(set);
  }

  /** The mounts in order. */
  public List<SpecMount> mounts() {
    return json.objects("mounts").stream().map(SpecMount::of).toList();
  }

  /** The namespaces. */
  public List<LinuxNamespace> namespaces() {
    return object("linux").objects("namespaces").stream().map(LinuxNamespace::of).toList();
  }

  /** The namespace of the type, when it is not the runtime's own. */
  public Optional<LinuxNamespace> namespace(String type) {
    return namespaces().stream().filter(n -> n.type().equals(type)).findFirst();
  }

  /** True when the container gets a namespace of the type for itself. */
  public boolean hasNewNamespace(String type) {
    return namespaces().stream().anyMatch(n -> n.type().equals(type) && n.path().isEmpty());
  }

  /** The user ids of the user namespace; empty without one. */
  public List<IdMapping> uidMappings() {
    return object("linux").objects("uidMappings").stream().map(IdMapping::of).toList();
  }

  /** The group ids of the user namespace; empty without one. */
  public List<IdMapping> gidMappings() {
    return object("linux").objects("gidMappings").stream().map(IdMapping::of).toList();
  }

  /** Where the container's cgroup lies. */
  public Optional<String> cgroupsPath() {
    return object("linux").string("cgroupsPath");
  }

  /** {@code linux.resources}. */
  public JsonObject resources() {
    return object("linux", "resources");
  }

  /** True when some mount asks for id mapping, by its mappings or by its options. */
  public boolean usesIdMappedMounts() {
    return json.objects("mounts").stream()
        .anyMatch(
            m ->
                m.array("uidMappings").isPresent()
                    || m.array("gidMappings").isPresent()
                    || m.strings("options").contains("idmap")
                    || m.strings("options").contains("ridmap"));
  }

  /** Claims another version of the specification. */
  public Spec withOciVersion(String version) {
    return new Spec(json.with("ociVersion", version));
  }

  /** Sets the host name. */
  public Spec withHostname(String hostname) {
    return new Spec(json.with("hostname", hostname));
  }

  /** Sets the root folder. */
  public Spec withRootPath(String path) {
    return patch(root -> root.with("path", path), "root");
  }

  /** Makes the root read-only or not. */
  public Spec withRootReadonly(boolean readonly) {
    return patch(root -> root.with("readonly", readonly), "root");
  }

  /** Sets or replaces an annotation. */
  public Spec withAnnotation(String key, String value) {
    return patch(annotations -> annotations.with(key, value), "annotations");
  }

  /** Sets the program and its arguments. */
  public Spec withArgs(List<String> args) {
    return process(p -> p.with("args", JsonArray.ofStrings(args)));
  }

  /** Sets the whole environment. */
  public Spec withEnv(List<String> env) {
    return process(p -> p.with("env", JsonArray.ofStrings(env)));
  }

  /**
   * Adds to the environment; a variable that is there already changes in its place, and a name
   * without {@code =} removes the variable.
   */
  public Spec plusEnv(List<String> additions) {
    Map<String, String> byName = new LinkedHashMap<>();
    for (String entry : env()) {
      byName.put(nameOf(entry), entry);
    }
    for (String entry : additions) {
      if (entry.indexOf('=') < 0) {
        byName.remove(entry);
      } else {
        byName.put(nameOf(entry), entry);
      }
    }
    return withEnv(List.copyOf(byName.values()));
  }

  /** Sets the working folder. */
  public Spec withCwd(String cwd) {
    return process(p -> p.with("cwd", cwd));
  }

  /** Gives the process a terminal or not. */
  public Spec withTerminal(boolean terminal) {
    return process(p -> p.with("terminal", terminal));
  }

  /** Sets whom the process runs as. */
  public Spec withUser(SpecUser user) {
    return patch(user::into, "process", "user");
  }

  /** Sets the oom killer's bias. */
  public Spec withOomScoreAdj(int score) {
    return process(p -> p.with("oomScoreAdj", score));
  }

  /** Leaves the oom killer's bias to the runtime. */
  public Spec withoutOomScoreAdj() {
    return process(p -> p.without("oomScoreAdj"));
  }

  /** Sets all limits of the process. */
  public Spec withRlimits(List<Rlimit> rlimits) {
    return process(p -> p.with("rlimits", JsonArray.of(rlimits, Rlimit::json)));
  }

  /** Sets one set of capabilities; an empty list removes it. */
  public Spec withCapabilities(String set, List<String> names) {
    return patch(
        c -> names.isEmpty() ? c.without(set) : c.with(set, JsonArray.ofStrings(names)),
        "process",
        "capabilities");
  }

  /** Adds a mount after the others; one with the same destination is replaced. */
  public Spec plusMount(SpecMount mount) {
    JsonArray others = mountsExcept(mount.destination());
    return new Spec(json.with("mounts", others.plus(mount.json())));
  }

  /** Removes the mounts at a destination. */
  public Spec withoutMount(String destination) {
    return new Spec(json.with("mounts", mountsExcept(destination)));
  }

  private JsonArray mountsExcept(String destination) {
    return json.array("mounts")
        .orElse(JsonArray.EMPTY)
        .without(
            m ->
                m.asObject()
                    .flatMap(o -> o.string("destination"))
                    .filter(destination::equals)
                    .isPresent());
  }

  /** Adds a namespace, instead of the one of the same type if there is one. */
  public Spec withNamespace(LinuxNamespace namespace) {
    JsonArray others = namespacesExcept(namespace.type());
    return linux(l -> l.with("namespaces", others.plus(namespace.json())));
  }

  /** Shares the host's namespace of the type. */
  public Spec withoutNamespace(String type) {
    JsonArray others = namespacesExcept(type);
    return linux(l -> l.with("namespaces", others));
  }

  private JsonArray namespacesExcept(String type) {
    return object("linux")
        .array("namespaces")
        .orElse(JsonArray.EMPTY)
        .without(n -> n.asObject().flatMap(o -> o.string("type")).filter(type::equals).isPresent());
  }

  /** Sets the ids of the user namespace; the namespace itself is added by the option. */
  public Spec withIdMappings(List<IdMapping> uids, List<IdMapping> gids) {
    return linux(
        l ->
            l.with("uidMappings", JsonArray.of(uids, IdMapping::json))
                .with("gidMappings", JsonArray.of(gids, IdMapping::json)));
  }

  /** Sets where the container's cgroup lies. */
  public Spec withCgroupsPath(String path) {
    return linux(l -> l.with("cgroupsPath", path));
  }

  /** Changes {@code linux.resources}. */
  public Spec patchResources(UnaryOperator<JsonObject> change) {
    return patch(change, "linux", "resources");
  }

  /** Changes {@code process}. */
  public Spec process(UnaryOperator<JsonObject> change) {
    return patch(change, "process");
  }

  /** Changes {@code linux}. */
  public Spec linux(UnaryOperator<JsonObject> change) {
    return patch(change, "linux");
  }

  /** Changes the object at a path; it is made when absent. */
  public Spec patch(UnaryOperator<JsonObject> change, String... path) {
    return new Spec(json.patch(List.of(path), change));
  }

  /** The object at a path; empty when absent or null. */
  private JsonObject object(String... path) {
    Json value = json.at(path).orElse(JsonObject.EMPTY);
    if (value instanceof JsonObject object) {
      return object;
    }
    if (value == JsonNull.NULL) {
      return JsonObject.EMPTY;
    }
    throw new InvalidArgumentException(
        "spec "
            + Arrays.stream(path).collect(joining("."))
            + ": expected an object, found "
            + value.kind());
  }

  private static String nameOf(String entry) {
    int equals = entry.indexOf('=');
    return equals < 0 ? entry : entry.substring(0, equals);
  }

  /** The document indented, for people. */
  @Override
  public String toString() {
    return json.toPrettyText();
  }
}
