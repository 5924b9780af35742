package io.jcontainerd.shim;

import static io.jcontainerd.core.operation.RunningOperation.tell;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.api.types.Mount;
import io.jcontainerd.core.Identifiers;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.InternalException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.linux.cgroup.ContainerCgroup;
import io.jcontainerd.linux.process.Child;
import io.jcontainerd.linux.process.Children;
import io.jcontainerd.linux.process.ExitStatus;
import io.jcontainerd.linux.process.ProcessIdentity;
import io.jcontainerd.linux.process.Signals;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.runtime.Spec;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * All containers of this host, how they and their execs come to be and how they are deleted, in the
 * terms of containerd's task service. Safe for many threads; operations on one process that exclude
 * each other take turns.
 */
final class Supervisor {
  private static final System.Logger LOG = System.getLogger(Supervisor.class.getName());
  private static final Duration TURN = Duration.ofMinutes(2);
  private static final Duration DRAIN = Duration.ofSeconds(10);
  private static final int NEVER_BEGUN = 128 + Signals.KILL;
  private static final Duration KILLED = Duration.ofSeconds(10);

  private final HostServices host;
  private final ContainerExits exits;
  private final ContainerControl control;
  private final RootMounts roots;
  private final Map<String, Container> containers = new ConcurrentHashMap<>();
  private final Set<String> beingCreated = ConcurrentHashMap.newKeySet();

  Supervisor(HostServices host) {
    this.host = host;
    this.exits = new ContainerExits(host);
    this.control = new ContainerControl(host, exits);
    this.roots = new RootMounts(host.kernel(), host.children());
  }

  /** What can be done with a container that is there. */
  ContainerControl control() {
    return control;
  }

  ContainerExits exits() {
    return exits;
  }

  /** How many containers there are, those being created included. */
  int count() {
    return containers.size() + beingCreated.size();
  }

  Collection<Container> all() {
    return List.copyOf(containers.values());
  }

  /** The container, if this host has it. */
  Optional<Container> find(String namespace, String id) {
    return Optional.ofNullable(containers.get(key(namespace, id)));
  }

  /** The container. */
  Container get(String namespace, String id) {
    return find(namespace, id).orElseThrow(() -> new NotFoundException("container not created"));
  }

  /** Takes in a container that an earlier host had. */
  void adopt(Container container) {
    containers.put(key(container.namespace(), container.id()), container);
  }

  private static String key(String namespace, String id) {
    return namespace + "/" + id;
  }

  /**
   * What a container is made of.
   *
   * @param rootfs mounts that make its root file system; none if the specification names a root
   * @param checkpoint folder of a checkpoint; empty for a fresh start
   */
  record Creation(
      String namespace,
      String id,
      Path bundle,
      List<Mount> rootfs,
      Stdio stdio,
      RuntimeOptions options,
      String checkpoint) {}

  /**
   * Makes a container, up to its first instruction; one from a checkpoint has no process before its
   * start. After a failure nothing of it is left.
   */
  Container create(Creation creation)
      throws IOException, InterruptedException, OciRuntimeException {
    Identifiers.check(creation.namespace());
    Identifiers.check(creation.id());
    if (!creation.checkpoint().isEmpty() && !Files.isDirectory(Path.of(creation.checkpoint()))) {
      throw new InvalidArgumentException(
          "container " + creation.id() + ": no checkpoint in " + creation.checkpoint());
    }
    String key = key(creation.namespace(), creation.id());
    if (containers.containsKey(key) || !beingCreated.add(key)) {
      throw new AlreadyExistsException("container " + creation.id());
    }
    try {
      host.attachLock().prefetch();
      ContainerProcess init =
          new ContainerProcess(creation.id(), "", creation.stdio(), JsonObject.EMPTY);
      Container container =
          new Container(
              creation.namespace(),
              creation.id(),
              creation.bundle(),
              host.runtime(creation.options(), creation.id(), creation.bundle()),
              init);
      container.checkpoint = creation.checkpoint();
      Creating attempt = new Creating(container);
      try {
        attempt.run(creation);
      } catch (IOException | OciRuntimeException | InterruptedException | RuntimeException e) {
        attempt.undo(e);
        throw e;
      }
      containers.put(key, container);
      return container;
    } finally {
      beingCreated.remove(key);
    }
  }

  /** One attempt to make a container, and the way back. */
  private final class Creating {
    private final Container container;
    private final ContainerProcess init;
    private boolean recorded;
    private boolean runtimeCalled;

    Creating(Container container) {
      this.container = container;
      this.init = container.init();
    }

    void run(Creation creation) throws IOException, InterruptedException, OciRuntimeException {
      OciRuntime runtime = container.runtime();
      tell("spec", "the file system of " + container.bundle());
      Spec spec = prepareSpec(container);
      container.killAllOnExit = !spec.hasNewNamespace("pid");
      container.rootMounted = !creation.rootfs().isEmpty();
      writeOptions(container);
      exits.save(container, false);
      recorded = true;
      if (container.rootMounted) {
        tell("mount", "the mount of " + container.rootfs());
        Files.createDirectories(container.rootfs());
        roots.mount(container, mounts(creation.rootfs()));
      }
      if (!container.checkpoint.isEmpty()) {
        exits.save(container, true);
        host.events().created(container, creation.rootfs(), container.checkpoint);
        return;
      }
      tell("streams", "the opening of its streams");
      ProcessIo io =
          host.streams()
              .open(init.stdio(), runtime.options(), container.namespace(), container.id());
      init.io = io;
      Path pidFile = container.bundle().resolve("init.pid");
      Files.deleteIfExists(pidFile);
      try (Children.Hold _ = host.children().hold()) {
        runtimeCalled = true;
        runtime.create(io.descriptors(), io.consoleSocket(), pidFile);
        watch(container, init, pidFile);
      }
      tell("record", "");
      io.started();
      Optional<ContainerCgroup> cgroup = ContainerCgroup.of(init.pid());
      if (cgroup.isPresent()) {
        container.cgroup(cgroup.get());
        watchMemory(container, cgroup.get());
      }
      exits.save(container, true);
      host.events().created(container, creation.rootfs(), "");
      Child child = init.child;
      if (child != null) {
        exits.follow(container, init, child);
      }
    }

    void undo(Exception cause) {
      var _ = container.endMemoryWatch();
      if (runtimeCalled) {
        attempt(cause, () -> container.runtime().delete(true));
        Child child = init.child;
        if (child != null) {
          attempt(cause, () -> child.signal(Signals.KILL));
        }
      }
      ProcessIo io = init.io;
      if (io != null) {
        attempt(cause, io::close);
      }
      if (container.rootMounted) {
        attempt(cause, () -> host.kernel().detachAll(container.rootfs()));
      }
      if (recorded) {
        attempt(cause, () -> exits.forget(container));
      }
    }
  }

  private interface Step {
    void run() throws Exception;
  }

  /** Part of an undo: runs whatever happened before, and only adds its own failure to the cause. */
  private static void attempt(Exception cause, Step step) {
    boolean interrupted = Thread.interrupted(); // the way back is not cut short
    try {
      step.run();
    } catch (OciRuntimeException e) {
      if (!e.isGone()) {
        cause.addSuppressed(e);
      }
    } catch (Exception e) {
      cause.addSuppressed(e);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private Spec prepareSpec(Container container) throws IOException, InterruptedException {
    Path file = container.bundle().resolve("config.json");
    Spec spec;
    try {
      spec = Spec.parse(Files.readAllBytes(file));
    } catch (NoSuchFileException e) {
      throw new InvalidArgumentException("bundle " + container.bundle() + " has no config.json", e);
    }
    RuntimeVersion runtime = RuntimeVersion.SILENT;
    if (claimsMore(spec) || SpecNeeds.any(spec)) {
      String binary = container.runtime().options().binary();
      runtime = host.versions().of(binary);
      Optional<String> missed = SpecNeeds.check(spec, runtime, binary, container.id());
      if (missed.isPresent()) {
        warn(container, missed.get());
      }
    }
    Spec fit = host.specs().container(spec, runtime.newest(), container.id());
    if (!fit.equals(spec)) {
      Files.write(file, fit.toBytes());
    }
    return fit;
  }

  /** Also in the container's own log, to which its runtime adds. */
  private static void warn(Container container, String text) throws IOException {
    LOG.log(Level.WARNING, text);
    JsonObject line =
        JsonObject.EMPTY
            .with("msg", text)
            .with("level", "warning")
            .with("time", Instant.now().toString());
    Files.writeString(
        container.bundle().resolve("log.json"),
        line.toText() + "\n",
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
  }

  private static boolean claimsMore(Spec spec) {
    return !spec.ociVersion().isEmpty()
        && SpecVersion.parse(spec.ociVersion()).compareTo(SpecVersion.FIRST) > 0;
  }

  /** Who cleans up after a lost shim finds the runtime by these files. */
  private static void writeOptions(Container container) throws IOException {
    RuntimeOptions options = container.runtime().options();
    Files.write(container.bundle().resolve("runtime"), options.binary().getBytes(UTF_8));
    Files.write(container.bundle().resolve("options.json"), options.toBundleFile());
  }

  private static List<io.jcontainerd.core.mount.Mount> mounts(List<Mount> messages) {
    return messages.stream()
        .map(
            mount ->
                new io.jcontainerd.core.mount.Mount(
                    mount.getType(), mount.getSource(), mount.getTarget(), mount.getOptionsList()))
        .toList();
  }

  /** The runtime has left a process behind: from here on it is ours to wait for. */
  private void watch(Container container, ContainerProcess process, Path pidFile)
      throws IOException {
    String text;
    try {
      text = Files.readString(pidFile).strip();
    } catch (NoSuchFileException e) {
      throw new InternalException("the runtime wrote no pid file " + pidFile, e);
    }
    int pid = Integer.parseInt(text);
    // one that has ended already can be identified only until it is collected
    ProcessIdentity identity =
        ProcessIdentity.of(pid)
            .orElseThrow(() -> new InternalException("process " + pid + " vanished at its start"));
    Child child = host.children().watch(pid);
    synchronized (container) {
      process.child = child;
      process.identity = identity;
    }
  }

  /** From now on the kernel's kills are told. One that cannot be watched is no worse for it. */
  void watchMemory(Container container, ContainerCgroup cgroup) {
    Runnable told =
        () ->
            Thread.ofVirtual()
                .name("oom " + container.id())
                .start(() -> exits.outOfMemory(container));
    try {
      host.memory().watch(cgroup, told).ifPresent(container::memoryWatch);
    } catch (IOException e) {
      LOG.log(
          Level.WARNING,
          "container " + container.id() + ": running out of memory will not be told",
          e);
    }
  }

  /** Lets the first process, or an exec, begin; answers its pid. */
  int start(Container container, String execId)
      throws IOException, InterruptedException, OciRuntimeException {
    ContainerProcess process = container.process(execId);
    try (Turn.Held _ = process.turn.take("start", TURN)) {
      container.startBegins(process);
      boolean begun = false;
      try {
        if (container.awaitsRestore() && process.isInit()) {
          restoreInit(container, process);
        } else if (process.isInit()) {
          startInit(container, process);
        } else {
          startExec(container, process);
        }
        begun = true;
        return process.pid();
      } finally {
        Optional<ExitStatus> held = container.startOver(process);
        if (!begun && !process.isInit()) {
          process.startFailed(Instant.now());
          exits.execOver(container);
        }
        held.ifPresent(exit -> exits.arrived(container, process, exit));
      }
    }
  }

  private void startInit(Container container, ContainerProcess process)
      throws IOException, InterruptedException, OciRuntimeException {
    exits.record(container);
    container.runtime().start();
    synchronized (container) {
      process.phase = Phase.RUNNING;
    }
    exits.record(container);
    host.events().started(container, process);
  }

  /** Brings the container back; after a failure it is as it was before, and may be deleted. */
  private void restoreInit(Container container, ContainerProcess init)
      throws IOException, InterruptedException, OciRuntimeException {
    exits.record(container);
    host.attachLock().prefetch();
    OciRuntime runtime = container.runtime();
    Path pidFile = container.bundle().resolve("init.pid");
    tell("streams", "the opening of its streams");
    ProcessIo io =
        host.streams().open(init.stdio(), runtime.options(), container.namespace(), container.id());
    try {
      Files.deleteIfExists(pidFile);
      try (Children.Hold _ = host.children().hold()) {
        try {
          CriuWork.of(container, "")
              .run(
                  "restore",
                  work ->
                      runtime.restore(
                          io.descriptors(),
                          io.consoleSocket(),
                          pidFile,
                          Path.of(container.checkpoint),
                          work));
          watch(container, init, pidFile);
        } catch (InterruptedException | IOException e) {
          attempt(e, () -> watchLeft(container, init, pidFile));
          throw e;
        }
      }
      io.started();
      Optional<ContainerCgroup> cgroup = ContainerCgroup.of(init.pid());
      if (cgroup.isPresent()) {
        container.cgroup(cgroup.get());
        watchMemory(container, cgroup.get());
      }
      boolean inputEnded;
      synchronized (container) {
        init.io = io;
        init.phase = Phase.RUNNING;
        inputEnded = init.stdinClosed;
      }
      if (inputEnded) {
        io.closeStdin();
      }
      exits.record(container);
      host.events().started(container, init);
    } catch (IOException | OciRuntimeException | InterruptedException | RuntimeException e) {
      undoRestore(container, io, e);
      throw e;
    }
    Child child = init.child;
    if (child != null) {
      exits.follow(container, init, child);
    }
  }

  private void undoRestore(Container container, ProcessIo io, Exception cause) {
    ContainerProcess init = container.init();
    var _ = container.endMemoryWatch();
    attempt(cause, () -> container.runtime().delete(true));
    Child child = init.child;
    if (child != null) {
      attempt(cause, () -> child.signal(Signals.KILL));
    }
    attempt(cause, io::close);
    synchronized (container) {
      init.phase = Phase.CREATED;
      init.child = null;
      init.identity = null;
      init.io = null;
    }
    exits.record(container);
  }

  private void startExec(Container container, ContainerProcess process)
      throws IOException, InterruptedException, OciRuntimeException {
    host.attachLock().prefetch();
    OciRuntime runtime = container.runtime();
    Path file = container.bundle().resolve("exec-" + process.execId() + ".json");
    Path pidFile = container.bundle().resolve(process.execId() + ".pid");
    tell("streams", "the opening of its streams");
    ProcessIo io =
        host.streams()
            .open(process.stdio(), runtime.options(), container.namespace(), container.id());
    Child child = null;
    boolean begun = false;
    try {
      Files.write(file, process.spec().toBytes());
      Files.deleteIfExists(pidFile);
      try (Children.Hold _ = host.children().hold()) {
        try {
          runtime.exec(file, io.descriptors(), io.consoleSocket(), pidFile);
          watch(container, process, pidFile);
        } catch (InterruptedException | IOException e) {
          attempt(e, () -> watchLeft(container, process, pidFile));
          throw e;
        }
      }
      child = process.child;
      io.started();
      boolean inputEnded;
      synchronized (container) {
        process.io = io;
        process.phase = Phase.RUNNING;
        inputEnded = process.stdinClosed;
      }
      if (inputEnded) { // asked for while the runtime was starting the process
        io.closeStdin();
      }
      exits.record(container);
      host.events().started(container, process);
      begun = true;
    } finally {
      Files.deleteIfExists(file);
      Files.deleteIfExists(pidFile);
      if (begun && child != null) {
        exits.follow(container, process, child);
      } else if (!begun) {
        io.close();
        undoExec(container, process);
      }
    }
  }

  /** The runtime was cut short: what it has left behind is watched, so that it can be ended. */
  private void watchLeft(Container container, ContainerProcess process, Path pidFile)
      throws IOException {
    if (process.child == null && Files.exists(pidFile)) {
      watch(container, process, pidFile);
    }
  }

  private static void undoExec(Container container, ContainerProcess process) throws IOException {
    Child child = process.child;
    if (child != null) {
      child.signal(Signals.KILL);
    }
    synchronized (container) {
      process.phase = Phase.CREATED;
      process.child = null;
      process.identity = null;
      process.io = null;
    }
  }

  /** Adds a process that can be started. */
  void exec(Container container, String execId, Stdio stdio, JsonObject process)
      throws IOException {
    Identifiers.check(execId);
    JsonObject fit =
        host.specs()
            .process(
                process.with("terminal", stdio.terminal()),
                "exec " + execId + " of container " + container.id());
    container.add(new ContainerProcess(container.id(), execId, stdio, fit));
    host.attachLock().prefetch();
    exits.record(container);
    host.events().execAdded(container, execId);
  }

  /**
   * What is left of a deleted process.
   *
   * @param exit empty for one that never ran
   */
  record Deleted(int pid, Optional<ExitStatus> exit) {}

  /** Deletes the container, or an exec, that does not run. */
  Deleted delete(Container container, String execId)
      throws IOException, InterruptedException, OciRuntimeException {
    ContainerProcess process = container.process(execId);
    try (Turn.Held _ = process.turn.take("delete", TURN)) {
      return process.isInit() ? deleteInit(container) : deleteExec(container, process);
    }
  }

  private Deleted deleteExec(Container container, ContainerProcess process)
      throws IOException, InterruptedException {
    container.process(process.execId()); // another delete may have had the turn before
    ProcessIo io;
    synchronized (container) {
      if (process.phase != Phase.STOPPED && process.pid() != 0) {
        throw new UnknownException("cannot delete a running process");
      }
      io = process.io;
    }
    tell("streams", "readers of its output");
    closeStreams(io);
    container.remove(process);
    process.deleted();
    exits.record(container);
    return new Deleted(process.pid(), process.exit());
  }

  private Deleted deleteInit(Container container)
      throws IOException, InterruptedException, OciRuntimeException {
    ContainerProcess init = container.init();
    if (find(container.namespace(), container.id()).filter(c -> c == container).isEmpty()) {
      throw new NotFoundException("container not created");
    }
    Phase phase;
    Child child;
    synchronized (container) {
      phase = init.phase;
      child = init.child;
    }
    switch (phase) {
      case RUNNING -> throw new UnknownException("cannot delete a running process");
      case PAUSED, PAUSING -> throw new UnknownException("cannot delete a paused process");
      case CREATED -> {
        if (child != null) {
          child.signal(Signals.KILL);
        } else if (container.awaitsRestore()) { // told like the end of any other that never began
          exits.arrived(container, init, new ExitStatus(NEVER_BEGUN, Instant.now()));
        }
      }
      case STOPPED -> {}
    }
    tell("exit", "the end of process " + init.pid());
    awaitExit(container); // its event comes before the one of the deletion
    FutureTask<@Nullable Void> unmount = roots.unmounting(container);
    try {
      container.runtime().delete(false);
    } catch (OciRuntimeException e) {
      if (!e.isGone()) {
        container.runtime().delete(true);
      }
    }
    tell("unmount", "the unmount of " + container.rootfs());
    roots.await(unmount, container);
    tell("streams", "readers of its output");
    closeStreams(init.io);
    for (ContainerProcess exec : container.execs()) {
      closeStreams(exec.io);
      exec.deleted();
    }
    ExitStatus exit =
        init.exit()
            .orElseThrow(
                () -> new InternalException("container " + container.id() + " has no exit"));
    exits.tellDeletion(container, exit);
    exits.forget(container);
    // last, for a host that was asked to leave does so when it counts none
    containers.remove(key(container.namespace(), container.id()), container);
    return new Deleted(init.pid(), init.exit());
  }

  private static void awaitExit(Container container) throws InterruptedException {
    try {
      container.init().exited().get(KILLED.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new InternalException("container " + container.id() + " does not end", e);
    } catch (ExecutionException e) {
      throw new InternalException("container " + container.id(), e);
    }
  }

  private static void closeStreams(@Nullable ProcessIo io)
      throws IOException, InterruptedException {
    if (io != null) {
      if (!io.drained(DRAIN)) {
        LOG.log(Level.WARNING, "output was not taken within {0} s and is cut", DRAIN.toSeconds());
      }
      io.close();
    }
  }
}
