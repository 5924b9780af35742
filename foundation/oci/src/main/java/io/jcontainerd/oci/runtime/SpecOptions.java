package io.jcontainerd.oci.runtime;

import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.oci.image.ImageConfig;
import io.jcontainerd.oci.json.Json;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;

/** The common changes of a specification. */
public final class SpecOptions {
  private static final List<String> CAPABILITY_SETS = List.of("bounding", "effective", "permitted");

  private SpecOptions() {}

  // process

  /** The program and its arguments. */
  public static SpecOption args(List<String> args) {
    return (spec, _) -> spec.withArgs(args);
  }

  /** The program and its arguments. */
  public static SpecOption args(String... args) {
    return args(List.of(args));
  }

  /** The working folder. */
  public static SpecOption cwd(String cwd) {
    return (spec, _) -> spec.withCwd(cwd);
  }

  /** Variables added to the environment; see {@link Spec#plusEnv}. */
  public static SpecOption env(List<String> entries) {
    return (spec, _) -> spec.plusEnv(entries);
  }

  /** Variables added to the environment; see {@link Spec#plusEnv}. */
  public static SpecOption env(String... entries) {
    return env(List.of(entries));
  }

  /** A terminal, and {@code TERM} for it. */
  public static SpecOption tty() {
    return (spec, _) -> spec.withTerminal(true).plusEnv(List.of("TERM=xterm"));
  }

  /** Ids as they are, without further groups. */
  public static SpecOption uidGid(long uid, long gid) {
    return (spec, _) -> spec.withUser(new SpecUser(uid, gid, List.of()));
  }

  /**
   * A user as people write it, {@code user[:group]} with names or numbers, looked up in the
   * container's own files. A pair of numbers needs no files.
   */
  public static SpecOption user(String text) {
    return (spec, context) -> {
      if (text.matches("[0-9]{1,10}:[0-9]{1,10}")) {
        return spec.withUser(UserDatabase.of(_ -> Optional.empty()).resolve(text));
      }
      RootFiles files =
          context
              .rootfs()
              .orElseThrow(
                  () ->
                      new FailedPreconditionException(
                          "user " + text + ": the container's root is needed to look it up"));
      return spec.withUser(UserDatabase.of(files).resolve(text));
    };
  }

  /** Whether set-uid programs may gain privileges. */
  public static SpecOption noNewPrivileges(boolean value) {
    return (spec, _) -> spec.process(p -> p.with("noNewPrivileges", value));
  }

  /** A limit of the process, instead of the one of the same type. */
  public static SpecOption rlimit(Rlimit limit) {
    return (spec, _) -> {
      List<Rlimit> limits = new ArrayList<>(spec.rlimits());
      limits.removeIf(l -> l.type().equals(limit.type()));
      limits.add(limit);
      return spec.withRlimits(limits);
    };
  }

  /** The oom killer's bias, from -1000 to 1000. */
  public static SpecOption oomScoreAdj(int score) {
    if (score < -1000 || score > 1000) {
      throw new InvalidArgumentException("oom score " + score + " is not within -1000 and 1000");
    }
    return (spec, _) -> spec.withOomScoreAdj(score);
  }

  /**
   * What the image says: environment, working folder, user and, unless {@code args} are given in
   * place of the image's command, the program. The image's entry point stays before the arguments.
   *
   * @throws InvalidArgumentException when neither image nor caller name a program
   */
  public static SpecOption image(ImageConfig image, List<String> args) {
    return (spec, context) -> {
      List<String> command = new ArrayList<>(image.entrypoint());
      command.addAll(args.isEmpty() ? image.command() : args);
      if (command.isEmpty()) {
        throw new InvalidArgumentException(
            "container " + context.id() + ": the image names no program and none was given");
      }
      List<String> env = image.env().isEmpty() ? List.of(DefaultSpec.PATH) : image.env();
      Spec result =
          spec.withArgs(command)
              .withEnv(List.of())
              .plusEnv(env)
              .plusEnv(spec.env().stream().filter(e -> !e.equals(DefaultSpec.PATH)).toList())
              .withCwd(image.workingDir().isEmpty() ? "/" : image.workingDir());
      if (image.user().isEmpty()) {
        return context.rootfs().isPresent() && knowsRoot(context)
            ? user("0").apply(result, context)
            : result;
      }
      return user(image.user()).apply(result, context);
    };
  }

  private static boolean knowsRoot(SpecContext context) {
    return context.rootfs().flatMap(f -> f.read("/etc/passwd")).isPresent();
  }

  // capabilities and confinement

  /** Exactly these capabilities, in the bounding, effective and permitted sets. */
  public static SpecOption capabilities(List<String> names) {
    List<String> full = names.stream().map(Capabilities::named).toList();
    return (spec, _) -> allSets(spec, _ -> full);
  }

  /** More capabilities. */
  public static SpecOption addCapabilities(List<String> names) {
    List<String> full = names.stream().map(Capabilities::named).toList();
    return (spec, _) ->
        allSets(
            spec,
            had -> {
              Set<String> all = new LinkedHashSet<>(had);
              all.addAll(full);
              return List.copyOf(all);
            });
  }

  /** Fewer capabilities, in all sets. */
  public static SpecOption dropCapabilities(List<String> names) {
    Set<String> full = new HashSet<>(names.stream().map(Capabilities::named).toList());
    UnaryOperator<List<String>> drop =
        had -> had.stream().filter(name -> !full.contains(name)).toList();
    return (spec, _) -> {
      Spec result = allSets(spec, drop);
      for (String set : List.of("inheritable", "ambient")) {
        result = result.withCapabilities(set, drop.apply(result.capabilities(set)));
      }
      return result;
    };
  }

  private static Spec allSets(Spec spec, UnaryOperator<List<String>> change) {
    Spec result = spec;
    for (String set : CAPABILITY_SETS) {
      result = result.withCapabilities(set, change.apply(result.capabilities(set)));
    }
    return result;
  }

  /**
   * The default seccomp profile, fitted to the bounding capabilities that the specification has at
   * this point: put it after the options that change them.
   */
  public static SpecOption defaultSeccomp() {
    return (spec, _) ->
        seccomp(SeccompProfile.containerDefault(Set.copyOf(spec.capabilities("bounding"))))
            .apply(spec, SpecContext.of("", ""));
  }

  /** A seccomp profile in the form of {@code linux.seccomp}. */
  public static SpecOption seccomp(JsonObject profile) {
    return (spec, _) -> spec.linux(l -> l.with("seccomp", profile));
  }

  /** No seccomp filter. */
  public static SpecOption seccompUnconfined() {
    return (spec, _) -> spec.linux(l -> l.without("seccomp"));
  }

  /** An AppArmor profile by name; empty for none. */
  public static SpecOption apparmor(String profile) {
    return (spec, _) ->
        spec.process(
            p ->
                profile.isEmpty()
                    ? p.without("apparmorProfile")
                    : p.with("apparmorProfile", profile));
  }

  /** An SELinux label of the process; empty for none. */
  public static SpecOption selinux(String label) {
    return (spec, _) ->
        spec.process(
            p -> label.isEmpty() ? p.without("selinuxLabel") : p.with("selinuxLabel", label));
  }

  /**
   * Nearly the host's power: the given capabilities, nothing masked or read-only, kernel settings
   * writable, every device allowed, no confinement.
   *
   * @param capabilities usually all; on a host that lacks some itself, those it has
   */
  public static SpecOption privileged(List<String> capabilities) {
    return capabilities(capabilities)
        .then(noNewPrivileges(false))
        .then(maskedPaths(List.of()))
        .then(readonlyPaths(List.of()))
        .then(writableMount("/sys"))
        .then(writableMount("/sys/fs/cgroup"))
        .then(selinux(""))
        .then(apparmor(""))
        .then(seccompUnconfined())
        .then(allDevices());
  }

  // files

  /** Mounts, after the ones that are there; one at the same place is replaced. */
  public static SpecOption mounts(List<SpecMount> mounts) {
    return (spec, _) -> {
      Spec result = spec;
      for (SpecMount mount : mounts) {
        result = result.plusMount(mount);
      }
      return result;
    };
  }

  /** Takes mounts away by their places. */
  public static SpecOption withoutMounts(String... destinations) {
    return (spec, _) -> {
      Spec result = spec;
      for (String destination : destinations) {
        result = result.withoutMount(destination);
      }
      return result;
    };
  }

  /** The cgroup tree, read-only, at its usual place. */
  public static SpecOption cgroupMount() {
    return mounts(
        List.of(
            new SpecMount(
                "/sys/fs/cgroup", "cgroup", "cgroup", List.of("ro", "nosuid", "noexec", "nodev"))));
  }

  /** A mount of the default set made writable. */
  public static SpecOption writableMount(String destination) {
    return (spec, _) ->
        new Spec(
            spec.json()
                .array("mounts")
                .map(all -> spec.json().with("mounts", all.map(m -> madeWritable(m, destination))))
                .orElse(spec.json()));
  }

  private static Json madeWritable(Json mount, String destination) {
    return mount
        .asObject()
        .filter(o -> o.string("destination").filter(destination::equals).isPresent())
        .<Json>map(
            o ->
                o.with(
                    "options",
                    JsonArray.ofStrings(
                        o.strings("options").stream()
                            .map(option -> option.equals("ro") ? "rw" : option)
                            .toList())))
        .orElse(mount);
  }

  /** A read-only root. */
  public static SpecOption readonlyRootfs() {
    return (spec, _) -> spec.withRootReadonly(true);
  }

  /** A root folder outside of any snapshot. */
  public static SpecOption rootPath(String path) {
    return (spec, _) -> spec.withRootPath(path);
  }

  /** Kernel files hidden from the container, instead of the ones so far. */
  public static SpecOption maskedPaths(List<String> paths) {
    return (spec, _) -> spec.linux(l -> l.with("maskedPaths", JsonArray.ofStrings(paths)));
  }

  /** Kernel files that the container may only read, instead of the ones so far. */
  public static SpecOption readonlyPaths(List<String> paths) {
    return (spec, _) -> spec.linux(l -> l.with("readonlyPaths", JsonArray.ofStrings(paths)));
  }

  // namespaces

  /** The container's host name, in a name space of its own. */
  public static SpecOption hostname(String hostname) {
    return (spec, _) -> spec.withHostname(hostname);
  }

  /** A namespace, new or joined. */
  public static SpecOption namespace(LinuxNamespace namespace) {
    return (spec, _) -> spec.withNamespace(namespace);
  }

  /** The host's namespace of the type. */
  public static SpecOption hostNamespace(String type) {
    return (spec, _) -> spec.withoutNamespace(type);
  }

  /**
   * A user namespace of its own.
   *
   * <p>The files of the container's root must belong to the mapped ids: use a remapped snapshot.
   */
  public static SpecOption userNamespace(List<IdMapping> uids, List<IdMapping> gids) {
    if (uids.isEmpty() || gids.isEmpty()) {
      throw new InvalidArgumentException("user namespace: user and group mappings are required");
    }
    return (spec, _) ->
        spec.withNamespace(LinuxNamespace.fresh(LinuxNamespace.USER)).withIdMappings(uids, gids);
  }

  // resources

  /** Where the container's cgroup lies; {@code slice:prefix:name} under systemd. */
  public static SpecOption cgroupsPath(String path) {
    return (spec, _) -> spec.withCgroupsPath(path);
  }

  /** Most memory, in bytes. */
  public static SpecOption memoryLimit(long bytes) {
    positive("memory limit", bytes);
    return resource("memory", memory -> memory.with("limit", bytes));
  }

  /** Most memory and swap together, in bytes; -1 for no limit. */
  public static SpecOption memoryAndSwapLimit(long bytes) {
    return resource("memory", memory -> memory.with("swap", bytes));
  }

  /** The weight of the container among others when processors are short; 1024 is usual. */
  public static SpecOption cpuShares(long shares) {
    positive("cpu shares", shares);
    return resource("cpu", cpu -> cpu.with("shares", shares));
  }

  /** Most processor time in each period, both in microseconds. */
  public static SpecOption cpuQuota(long quota, long period) {
    positive("cpu period", period);
    return resource("cpu", cpu -> cpu.with("quota", quota).with("period", period));
  }

  /** Most processors' worth of time, such as 1.5. */
  public static SpecOption cpus(double processors) {
    if (!(processors > 0)) {
      throw new InvalidArgumentException("cpus " + processors + " is not positive");
    }
    return cpuQuota(Math.round(processors * 100_000), 100_000);
  }

  /** On which processors it may run, such as {@code 0-3,7}. */
  public static SpecOption cpuset(String cpus) {
    return resource("cpu", cpu -> cpu.with("cpus", cpus));
  }

  /** Most tasks, threads included; 0 or less for no limit. */
  public static SpecOption pidsLimit(long limit) {
    return resource("pids", pids -> pids.with("limit", limit));
  }

  /** Every device node may be used. */
  public static SpecOption allDevices() {
    JsonObject rule = JsonObject.EMPTY.with("allow", true).with("access", "rwm");
    return (spec, _) ->
        spec.patchResources(r -> r.with("devices", new JsonArray(List.<Json>of(rule))));
  }

  private static SpecOption resource(String kind, UnaryOperator<JsonObject> change) {
    return (spec, _) -> spec.patchResources(r -> r.patch(List.of(kind), change));
  }

  private static void positive(String what, long value) {
    if (value <= 0) {
      throw new InvalidArgumentException(what + " " + value + " is not positive");
    }
  }

  // other

  /** A note that runtimes and hooks can read. */
  public static SpecOption annotation(String key, String value) {
    return (spec, _) -> spec.withAnnotation(key, value);
  }
}
