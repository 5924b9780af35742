package io.jcontainerd.shim;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.operation.OperationRegistry;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.linux.LinuxKernel;
import io.jcontainerd.linux.Mounter;
import io.jcontainerd.linux.cgroup.AttachLock;
import io.jcontainerd.linux.cgroup.OomWatcher;
import io.jcontainerd.linux.descriptor.Reactor;
import io.jcontainerd.linux.memory.IdleTrim;
import io.jcontainerd.linux.process.Children;
import io.jcontainerd.linux.process.ProgramRunner;
import io.jcontainerd.shim.launch.ServingMark;
import io.jcontainerd.ttrpc.Metadata;
import io.jcontainerd.ttrpc.TtrpcServer;
import io.jcontainerd.ttrpc.TtrpcService;
import io.jcontainerd.ttrpc.UnixSockets;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * The shim host: one process that makes, supervises and removes many containers for a daemon, and
 * outlives it.
 *
 * <p>It is the child subreaper of its containers and answers containerd's task service on one
 * socket. It leaves when nobody needs it: after it was idle for a while, or when it was asked to
 * (SIGTERM, or the service's Shutdown) and has no container; asked earlier, it goes on until the
 * last one is deleted. Events that no daemon has come for stay in the state folder then, for the
 * next host.
 */
public final class ShimHost implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(ShimHost.class.getName());
  private static final Duration PREDECESSOR = Duration.ofSeconds(15);
  private static final Duration ANSWERS = Duration.ofSeconds(5);
  private static final Duration FLUSH = Duration.ofSeconds(5);
  private static final Duration POLL = Duration.ofMillis(200);
  private static final Duration AFTER_LAST_CLIENT = Duration.ofSeconds(1);

  /** How long a daemon is waited for that would not start a host for the sake of events. */
  private static final Duration WITH_EVENTS = Duration.ofMinutes(5);

  private static final Set<String> NOT_FOR_RUNTIMES =
      Set.of("NOTIFY_SOCKET", "JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "LISTEN_FDS", "LISTEN_PID");

  private final HostArguments arguments;
  private final StateLock lock;
  private final StateStore store;
  private final ServingMark mark;
  private final NamespaceSockets sockets;
  private final ConsoleFolder consoles;
  private final Reactor exits;
  private final Reactor terminals;
  private final EventPublisher publisher;
  private final RuntimeCopies copies;
  private final Supervisor supervisor;
  private final TtrpcServer server;
  private final CountDownLatch leave = new CountDownLatch(1);

  private ShimHost(
      HostArguments arguments,
      StateLock lock,
      StateStore store,
      NamespaceSockets sockets,
      ConsoleFolder consoles,
      Reactor exits,
      Reactor terminals,
      EventPublisher publisher,
      RuntimeCopies copies,
      Supervisor supervisor) {
    this.arguments = arguments;
    this.lock = lock;
    this.store = store;
    this.mark = new ServingMark(arguments.state());
    this.sockets = sockets;
    this.consoles = consoles;
    this.exits = exits;
    this.terminals = terminals;
    this.publisher = publisher;
    this.copies = copies;
    this.supervisor = supervisor;
    OperationRegistry operations = new OperationRegistry();
    List<TtrpcService> services =
        new ArrayList<>(
            new TaskService(supervisor, operations, this::clientAsksToLeave).services());
    services.add(HostOperations.service(operations));
    services.add(sockets.service((listener, given) -> listen(listener, given)));
    this.server = new TtrpcServer(services, ShimFailures::status);
  }

  private void listen(ServerSocketChannel listener, Metadata given) throws IOException {
    server.listen(listener, given);
  }

  /** Starts the host and serves until it leaves. */
  public static void main(String[] args) {
    int status = 0;
    try {
      HostArguments arguments = HostArguments.parse(args);
      HostLog.configure(arguments.debug());
      try (ShimHost host = open(arguments)) {
        Runtime.getRuntime()
            .addShutdownHook(Thread.ofPlatform().name("leave").unstarted(host::leaveWhenEmpty));
        host.serve();
        try (IdleTrim _ = IdleTrim.start(Time.SYSTEM, () -> {})) {
          host.awaitLeave();
        }
      }
    } catch (ContainerdException | IOException e) {
      LOG.log(Level.ERROR, "shim host: " + e.getMessage(), e);
      status = 1;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      status = 1;
    }
    Runtime.getRuntime().halt(status); // the hook must not wait for what is over
  }

  /** Takes the state folder, and takes over what an earlier host left in it. */
  static ShimHost open(HostArguments arguments) throws IOException, InterruptedException {
    Clock clock = Clock.systemUTC();
    StateLock lock =
        StateLock.take(arguments.state(), PREDECESSOR, () -> isServed(arguments.socket()));
    StateStore store = StateStore.open(arguments.state());
    Reactor exits = Reactor.start("exits");
    Reactor terminals = Reactor.start("terminals");
    Children.becomeSubreaper();
    Children children = new Children(exits, clock);
    ProgramRunner runner = new ProgramRunner(exits, children);
    List<String> environment =
        System.getenv().entrySet().stream()
            .filter(entry -> !NOT_FOR_RUNTIMES.contains(entry.getKey()))
            .map(entry -> entry.getKey() + "=" + entry.getValue())
            .toList();
    ConsoleFolder consoles = ConsoleFolder.open(arguments.socket());
    EventPublisher publisher =
        EventPublisher.start(
            EventJournal.open(arguments.state().resolve("events")), arguments.events(), clock);
    RuntimeCopies copies =
        new RuntimeCopies(runner, environment, System.getenv().getOrDefault("PATH", ""));
    HostServices services =
        new HostServices(
            children,
            runner,
            environment,
            new StreamOpener(children, exits, terminals, consoles.path()),
            new TaskEvents(publisher),
            store,
            kernel(arguments.state().resolve("tmp")),
            new RuntimeTurns(),
            copies,
            new RuntimeVersions(runner, environment),
            new SpecPreparation(HostLimits.read()),
            new OomWatcher(exits),
            AttachLock.ofThisProcess());
    Supervisor supervisor = new Supervisor(services);
    ShimHost host =
        new ShimHost(
            arguments,
            lock,
            store,
            NamespaceSockets.open(arguments.state()),
            consoles,
            exits,
            terminals,
            publisher,
            copies,
            supervisor);
    Adoption adoption = new Adoption(services, supervisor, clock);
    if (arguments.removeOrphans()) {
      adoption.removeAll();
    } else {
      adoption.run();
    }
    children.reapOrphans();
    return host;
  }

  /** What a killed host has left mounted for a moment's use is unmounted first. */
  private static LinuxKernel kernel(Path temporary) throws IOException {
    LinuxKernel kernel = new LinuxKernel(temporary);
    List<Path> left = new Mounter(kernel, temporary).cleanLeftovers();
    if (!left.isEmpty()) {
      LOG.log(Level.WARNING, "an earlier host left {0}, which cannot be removed", left);
    }
    return kernel;
  }

  /** Whether somebody accepts connections there. */
  private static boolean isServed(Path socket) throws InterruptedException {
    try (SocketChannel _ = UnixSockets.connect(socket, POLL)) {
      return true;
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "nobody serves {0}: {1}", socket, e.getMessage());
      return false;
    }
  }

  /** Listens on the socket; a stale one is replaced. */
  void serve() throws IOException {
    Path socket = arguments.socket();
    Files.deleteIfExists(socket); // the state folder is ours, so nobody serves it
    ServerSocketChannel listener = UnixSockets.listen(socket);
    Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
    server.listen(listener);
    mark.set("unix://" + socket);
    LOG.log(
        Level.INFO,
        "shim host {0} serves {1}, {2} containers",
        Long.toString(ProcessHandle.current().pid()), // a number would be grouped in thousands
        socket,
        supervisor.count());
  }

  /** One that lingers knows by itself when nobody needs it. */
  private void clientAsksToLeave() {
    if (arguments.linger().isEmpty()) {
      leave.countDown();
    }
  }

  /** Returns when the host may leave and has nothing to do. */
  private void awaitLeave() throws InterruptedException, IOException {
    long idleSince = System.nanoTime();
    boolean served = false;
    while (true) {
      boolean asked = leave.await(POLL.toMillis(), TimeUnit.MILLISECONDS);
      served |= server.connections() > 0;
      if (supervisor.count() > 0) {
        idleSince = System.nanoTime();
        if (asked) {
          Thread.sleep(POLL);
        }
        continue;
      }
      if (server.connections() > 0) {
        idleSince = System.nanoTime();
      }
      long quiet = System.nanoTime() - idleSince;
      boolean unneeded =
          arguments.idle().isPresent()
              && quiet > patience(arguments.idle().get(), served)
              && (publisher.isIdle() || quiet > patienceWithEvents(arguments.idle().get()));
      if ((asked || unneeded) && mayGo()) {
        return;
      }
      if (asked) {
        Thread.sleep(POLL);
      }
    }
  }

  /** Whether nobody is on the way; who would come now finds that this host serves no more. */
  private boolean mayGo() throws IOException {
    if (mark.isExpecting()) {
      return false;
    }
    mark.clear();
    if (!mark.isExpecting()) {
      return true;
    }
    mark.set("unix://" + arguments.socket());
    return false;
  }

  /** A daemon that was here and left without leaving containers is not waited for. */
  private long patience(Duration idle, boolean served) {
    if (!served) {
      return idle.toNanos();
    }
    return arguments
        .linger()
        .map(Duration::toNanos)
        .orElse(Math.min(idle.toNanos(), AFTER_LAST_CLIENT.toNanos()));
  }

  /** A daemon that is started again has its events soonest from a host that is still there. */
  private long patienceWithEvents(Duration idle) {
    return (arguments.linger().isPresent() ? WITH_EVENTS : idle).toNanos();
  }

  /** Runs when a signal asks for the end: the JVM stays until this returns. */
  private void leaveWhenEmpty() {
    LOG.log(Level.INFO, "asked to leave, {0} containers", supervisor.count());
    leave.countDown();
    try {
      while (true) { // main ends the process when the last container is gone
        Thread.sleep(POLL);
        // a shutdown hook of the JDK's logging takes the handlers away at some time from now on
        HostLog.configure(arguments.debug());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  Supervisor supervisor() {
    return supervisor;
  }

  /**
   * Stops serving. Containers that still run go on, for the next host; when there is nothing for it
   * to know, the state folder goes, too.
   */
  @Override
  public void close() throws IOException {
    mark.clear();
    Files.deleteIfExists(arguments.socket());
    sockets.close();
    boolean interrupted = false;
    try {
      if (!server.shutdown(ANSWERS)) { // the last Delete may still have to get its answer
        LOG.log(Level.WARNING, "calls did not end and are cut off");
      }
      // a host that nobody needs any more has waited long enough
      if (!publisher.flush(leave.getCount() == 0 ? FLUSH : Duration.ZERO)) {
        LOG.log(Level.WARNING, "the daemon is away; events stay in {0}", arguments.state());
      }
    } catch (InterruptedException e) {
      interrupted = true;
    }
    server.close();
    LOG.log(Level.INFO, "shim host leaves, {0} containers", supervisor.count());
    boolean nothingLeft = supervisor.count() == 0 && publisher.isIdle();
    publisher.close();
    terminals.close();
    exits.close();
    consoles.close();
    copies.close();
    if (nothingLeft) {
      store.remove();
    }
    lock.close();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
