package io.jcontainerd.runtime.sandbox;

import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.jcontainerd.api.runtime.sandbox.v1.CreateSandboxRequest;
import io.jcontainerd.api.runtime.sandbox.v1.CreateSandboxResponse;
import io.jcontainerd.api.runtime.sandbox.v1.PlatformRequest;
import io.jcontainerd.api.runtime.sandbox.v1.PlatformResponse;
import io.jcontainerd.api.runtime.sandbox.v1.SandboxMetricsRequest;
import io.jcontainerd.api.runtime.sandbox.v1.SandboxMetricsResponse;
import io.jcontainerd.api.runtime.sandbox.v1.SandboxStatusRequest;
import io.jcontainerd.api.runtime.sandbox.v1.SandboxStatusResponse;
import io.jcontainerd.api.runtime.sandbox.v1.ShutdownSandboxRequest;
import io.jcontainerd.api.runtime.sandbox.v1.ShutdownSandboxResponse;
import io.jcontainerd.api.runtime.sandbox.v1.StartSandboxRequest;
import io.jcontainerd.api.runtime.sandbox.v1.StartSandboxResponse;
import io.jcontainerd.api.runtime.sandbox.v1.StopSandboxRequest;
import io.jcontainerd.api.runtime.sandbox.v1.StopSandboxResponse;
import io.jcontainerd.api.runtime.sandbox.v1.WaitSandboxRequest;
import io.jcontainerd.api.runtime.sandbox.v1.WaitSandboxResponse;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.Identifiers;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.sandboxes.Sandbox;
import io.jcontainerd.core.sandboxes.SandboxController;
import io.jcontainerd.runtime.bundle.Bundle;
import io.jcontainerd.runtime.bundle.Bundles;
import io.jcontainerd.runtime.shim.BinaryShimLauncher;
import io.jcontainerd.runtime.shim.Limits;
import io.jcontainerd.runtime.shim.SandboxEndpoints;
import io.jcontainerd.runtime.shim.Shim;
import io.jcontainerd.runtime.shim.ShimAddress;
import io.jcontainerd.runtime.shim.ShimLauncher;
import io.jcontainerd.runtime.shim.Timeouts;
import io.jcontainerd.wire.Times;
import io.jcontainerd.wire.TypedValues;
import io.jcontainerd.wire.Types;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Sandboxes that are kept by shims of their own, each the program of the sandbox's runtime, which
 * speaks the sandbox half of the shim protocol and may serve the tasks of the sandbox's containers
 * too.
 *
 * <p>The daemon holds names and connections only; the sandboxes live on without it and are found
 * again by {@link #recover}. A shim whose connection ends is dead: what it left is removed by its
 * program's {@code delete} action, and whoever waits for the sandbox is told of an end with status
 * 255. Nothing is held while a shim is asked. Closing lets go of the shims.
 */
public final class ShimSandboxes implements SandboxController, SandboxEndpoints, AutoCloseable {
  private static final System.Logger LOG = System.getLogger("io.jcontainerd.runtime");

  /** The first version of the task API that knows of sandboxes. */
  private static final int KNOWS_SANDBOXES = 3;

  private final EntryTable<Box> boxes = new EntryTable<>();
  private final Bundles bundles;
  private final BinaryShimLauncher launcher;
  private final Timeouts timeouts;

  /**
   * No sandboxes yet.
   *
   * @param bundles of sandboxes, apart from those of tasks
   * @param launcher with the same bundles
   */
  public ShimSandboxes(Bundles bundles, BinaryShimLauncher launcher, Timeouts timeouts) {
    this.bundles = bundles;
    this.launcher = launcher;
    this.timeouts = timeouts;
  }

  // ---- a sandbox's life ----

  @Override
  public void create(Creation creation) throws InterruptedException {
    Sandbox sandbox = creation.sandbox();
    Bundle bundle = bundles.at(Call.currentNamespace(), Identifiers.check(sandbox.id()));
    if (sandbox.runtime().name().isEmpty()) {
      throw new InvalidArgumentException("sandbox " + sandbox.id() + " names no runtime");
    }
    var box = new Box(bundle, sandbox.runtime().name());
    boxes.reserve(box, Limits.atMost(timeouts.operation()));
    boolean bundleMade = false;
    boolean done = false;
    try {
      byte[] spec = sandbox.spec().map(TypedValue::value).orElse(new byte[0]);
      bundles.create(bundle.namespace(), bundle.id(), spec, OptionalInt.empty(), "");
      bundleMade = true;
      Shim shim =
          launcher.launch(
              bundle, new ShimLauncher.Launch(box.runtime(), sandbox.runtime().options()));
      attach(box, shim);
      ask(
          box,
          "CreateSandbox",
          message(creation, bundle),
          CreateSandboxResponse.parser(),
          Limits.atMost(timeouts.operation()));
      done = box.advance(Entry.Stage.MAKING, Entry.Stage.LIVE);
    } finally {
      if (!done && box.advance(Entry.Stage.MAKING, Entry.Stage.ENDING)) {
        boolean made = bundleMade;
        var _ = boxes.detached(box, () -> undo(box, made));
      }
    }
    endIfLost(box);
  }

  private static CreateSandboxRequest message(Creation creation, Bundle bundle) {
    CreateSandboxRequest.Builder message =
        CreateSandboxRequest.newBuilder()
            .setSandboxId(bundle.id())
            .setBundlePath(bundle.path().toString())
            .addAllRootfs(Types.mountsToApi(creation.rootfs()))
            .setNetnsPath(creation.netnsPath())
            .putAllAnnotations(creation.annotations());
    creation.options().map(TypedValues::toApi).ifPresent(message::setOptions);
    return message.build();
  }

  private void attach(Box box, Shim shim) {
    box.attach(shim);
    shim.onLost(
        () -> {
          box.lost();
          lost(box);
        });
  }

  @Override
  public Started start(String id) throws InterruptedException {
    Box box = boxes.live(id);
    boolean started = false;
    try {
      StartSandboxResponse answer =
          ask(
              box,
              "StartSandbox",
              StartSandboxRequest.newBuilder().setSandboxId(id).build(),
              StartSandboxResponse.parser(),
              Limits.atMost(timeouts.operation()));
      started = true;
      return new Started(
          answer.getPid(),
          answer.hasCreatedAt() ? Times.toCore(answer.getCreatedAt()) : Instant.now(),
          TypedValues.toCore(answer.hasSpec(), answer.getSpec()),
          endpoint(box));
    } finally {
      if (!started && box.advance(Entry.Stage.LIVE, Entry.Stage.ENDING)) {
        var _ = boxes.detached(box, () -> undo(box, true));
      }
    }
  }

  private static Endpoint endpoint(Box box) {
    ShimAddress address = shim(box).address();
    String at =
        address.address().startsWith("/") ? "unix://" + address.address() : address.address();
    return new Endpoint(address.protocol() + "+" + at, address.version());
  }

  @Override
  public void stop(String id, Duration patience) throws InterruptedException {
    Optional<Box> box = boxes.find(id);
    if (box.isEmpty()) {
      return;
    }
    try {
      StopSandboxResponse _ =
          ask(
              box.get(),
              "StopSandbox",
              StopSandboxRequest.newBuilder()
                  .setSandboxId(id)
                  .setTimeoutSecs((int) patience.toSeconds())
                  .build(),
              StopSandboxResponse.parser(),
              Limits.atMost(patience.plus(timeouts.operation())));
    } catch (NotFoundException | UnavailableException e) {
      LOG.log(Level.DEBUG, "stop of sandbox " + id + ", which is over", e);
    }
  }

  @Override
  public End await(String id) throws InterruptedException {
    Box box = boxes.live(id);
    try {
      WaitSandboxResponse answer =
          shim(box)
              .callSandbox(
                  box.bundle().namespace(),
                  "WaitSandbox",
                  WaitSandboxRequest.newBuilder().setSandboxId(id).build(),
                  WaitSandboxResponse.parser(),
                  Limits.ofCaller());
      return new End(
          answer.getExitStatus(),
          answer.hasExitedAt() ? Times.toCore(answer.getExitedAt()) : Instant.now());
    } catch (UnavailableException e) {
      if (!Shim.isLost(e)) {
        throw e;
      }
      LOG.log(Level.DEBUG, "shim of sandbox " + id + " died while it was waited for", e);
      return box.endOfLost();
    }
  }

  @Override
  public void shutdown(String id) throws InterruptedException {
    Box box = boxes.live(id);
    // claimed before, so that a shim that leaves at once is not taken for a dead one
    if (!box.advance(Entry.Stage.LIVE, Entry.Stage.ENDING)) {
      if (!box.awaitGone(timeouts.shimCleanup().multipliedBy(2))) {
        throw new UnavailableException("sandbox \"" + id + "\" is still removed");
      }
      return;
    }
    boolean leaves = false;
    boolean agreed;
    try {
      agreed = agreesToLeave(box);
      leaves = true;
    } finally {
      if (!leaves && box.advance(Entry.Stage.ENDING, Entry.Stage.LIVE)) {
        endIfLost(box);
      }
    }
    Optional<ContainerdException> failure = boxes.detached(box, () -> clear(box, agreed));
    if (failure.isPresent()) {
      throw failure.get();
    }
  }

  /** Asks the shim to leave; false if it has nothing of the sandbox or is dead. */
  private boolean agreesToLeave(Box box) throws InterruptedException {
    try {
      askToLeave(box, Limits.atMost(timeouts.operation()));
      return true;
    } catch (NotFoundException e) {
      LOG.log(Level.DEBUG, "shim of the sandbox of " + box.bundle() + " has nothing of it", e);
    } catch (UnavailableException e) {
      if (!Shim.isLost(e)) {
        throw e;
      }
      LOG.log(Level.DEBUG, "shim of the sandbox of " + box.bundle() + " left at once", e);
    }
    return false;
  }

  private void askToLeave(Box box, Duration limit) throws InterruptedException {
    ShutdownSandboxResponse _ =
        ask(
            box,
            "ShutdownSandbox",
            ShutdownSandboxRequest.newBuilder().setSandboxId(box.bundle().id()).build(),
            ShutdownSandboxResponse.parser(),
            limit);
  }

  // ---- questions ----

  @Override
  public Platform platform(String id) throws InterruptedException {
    PlatformResponse answer =
        ask(
            boxes.live(id),
            "Platform",
            PlatformRequest.newBuilder().setSandboxId(id).build(),
            PlatformResponse.parser(),
            Limits.atMost(timeouts.operation()));
    return Types.toCore(answer.getPlatform());
  }

  @Override
  public Status status(String id, boolean verbose) throws InterruptedException {
    Optional<Box> box = boxes.find(id);
    if (box.isEmpty()) {
      return Status.unknown(Instant.now());
    }
    SandboxStatusResponse answer = status(box.get(), verbose, Limits.atMost(timeouts.operation()));
    return new Status(
        answer.getPid(),
        answer.getState(),
        answer.getInfoMap(),
        Times.toCore(answer.hasCreatedAt(), answer.getCreatedAt()),
        Times.toCore(answer.hasExitedAt(), answer.getExitedAt()),
        TypedValues.toCore(answer.hasExtra(), answer.getExtra()),
        endpoint(box.get()));
  }

  private static SandboxStatusResponse status(Box box, boolean verbose, Duration limit)
      throws InterruptedException {
    return ask(
        box,
        "SandboxStatus",
        SandboxStatusRequest.newBuilder()
            .setSandboxId(box.bundle().id())
            .setVerbose(verbose)
            .build(),
        SandboxStatusResponse.parser(),
        limit);
  }

  @Override
  public Metrics metrics(String id) throws InterruptedException {
    SandboxMetricsResponse answer =
        ask(
            boxes.live(id),
            "SandboxMetrics",
            SandboxMetricsRequest.newBuilder().setSandboxId(id).build(),
            SandboxMetricsResponse.parser(),
            Limits.atMost(timeouts.operation()));
    var metric = answer.getMetrics();
    return new Metrics(
        metric.hasTimestamp() ? Times.toCore(metric.getTimestamp()) : Instant.now(),
        metric.getId().isEmpty() ? id : metric.getId(),
        TypedValues.toCore(metric.hasData(), metric.getData()));
  }

  /** Shims are not told. */
  @Override
  public void update(Sandbox sandbox, List<String> fields) {
    LOG.log(Level.DEBUG, "sandbox {0} was updated: {1}", sandbox.id(), fields);
  }

  @Override
  public Optional<ShimAddress> find(String namespace, String sandbox) {
    return boxes
        .find(namespace, sandbox)
        .map(box -> shim(box).address())
        .filter(address -> address.version() >= KNOWS_SANDBOXES);
  }

  private static Shim shim(Box box) {
    return Objects.requireNonNull(box.shim());
  }

  private static <A extends MessageLite> A ask(
      Box box, String method, MessageLite request, Parser<A> answer, Duration limit)
      throws InterruptedException {
    return shim(box)
        .callSandbox(box.bundle().namespace(), method, request, answer, Optional.of(limit));
  }

  // ---- ends ----

  /** For a connection that was lost before the sandbox could be asked. */
  private void endIfLost(Box box) throws InterruptedException {
    if (box.awaitLost(Duration.ZERO)) {
      lost(box);
    }
  }

  /** Called when a connection was lost; a sandbox that ends otherwise is left alone. */
  private void lost(Box box) {
    if (!box.advance(Entry.Stage.LIVE, Entry.Stage.ENDING)) {
      return;
    }
    LOG.log(Level.WARNING, "shim of the sandbox of {0} is dead, cleaning up", box.bundle());
    try {
      remove(box, true);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ContainerdException e) {
      LOG.log(Level.ERROR, "clean-up after the shim of " + box.bundle(), e);
    }
  }

  /** Takes back what was made of a sandbox. */
  private void undo(Box box, boolean bundleMade) throws InterruptedException {
    if (box.shim() != null) {
      boolean agreed = false;
      try {
        askToLeave(box, timeouts.shimCleanup());
        agreed = true;
      } catch (ContainerdException e) {
        LOG.log(Level.DEBUG, "undoing the sandbox of " + box.bundle(), e);
      }
      clear(box, agreed);
    } else if (bundleMade) {
      remove(box, false); // a launch that fails leaves no shim
    } else {
      boxes.free(box);
    }
  }

  /**
   * Lets go of a shim that was asked to leave, and removes what is left unless it did so itself.
   *
   * @param agreed whether it answered that it would
   */
  private void clear(Box box, boolean agreed) throws InterruptedException {
    boolean left = box.awaitLost(timeouts.shimShutdown());
    try {
      launcher.release(shim(box), box.bundle(), timeouts.shimShutdown());
    } finally {
      remove(box, !agreed || !left);
    }
  }

  private void remove(Box box, boolean reap) throws InterruptedException {
    try {
      if (reap) {
        var _ = launcher.reap(box.bundle(), box.runtime(), timeouts.shimCleanup());
      }
    } catch (ContainerdException e) {
      LOG.log(Level.WARNING, "clean-up after the shim of " + box.bundle(), e);
    } finally {
      try {
        bundles.delete(box.bundle());
      } finally {
        boxes.free(box);
      }
    }
  }

  // ---- the daemon's life ----

  /**
   * Finds the sandboxes of an earlier daemon again, all at the same time, and clears up after those
   * whose shim is dead. To be called once, before the first request.
   */
  public void recover() throws InterruptedException {
    List<Bundle> found = bundles.list();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> loads = new ArrayList<>();
      for (Bundle bundle : found) {
        loads.add(
            threads.submit(
                () -> {
                  load(bundle);
                  return null;
                }));
      }
      for (int i = 0; i < found.size(); i++) {
        try {
          loads.get(i).get(); // has limits for whatever it asks
        } catch (ExecutionException e) {
          LOG.log(Level.ERROR, found.get(i) + " could not be recovered", e.getCause());
        }
      }
    }
    Set<Bundle> kept = new HashSet<>(bundles.list());
    boxes.all().forEach(box -> kept.add(box.bundle()));
    bundles.deleteStrays(kept);
  }

  private void load(Bundle bundle) throws InterruptedException {
    Optional<String> program = bundles.readText(bundle, Bundle.SHIM_BINARY);
    if (program.isEmpty()) { // nothing was started yet
      bundles.delete(bundle);
      return;
    }
    var box = new Box(bundle, program.get());
    boxes.reserve(box, timeouts.shimLoad());
    try {
      attach(box, launcher.reconnect(bundle, timeouts.shimLoad()));
      SandboxStatusResponse _ = status(box, false, timeouts.shimLoad());
    } catch (UnavailableException | DeadlineExceededException e) {
      LOG.log(Level.INFO, "{0}: its shim does not answer, clearing up: {1}", bundle, e);
      if (box.advance(Entry.Stage.MAKING, Entry.Stage.ENDING)) {
        letGo(box);
        remove(box, true);
      }
      return;
    } catch (NotFoundException e) {
      LOG.log(Level.WARNING, "{0}: its shim keeps no sandbox, ending it", bundle);
      if (box.advance(Entry.Stage.MAKING, Entry.Stage.ENDING)) {
        undo(box, true);
      }
      return;
    } catch (ContainerdException e) { // it lives, whatever it answers
      LOG.log(Level.WARNING, "state of the sandbox of " + bundle, e);
    }
    box.advance(Entry.Stage.MAKING, Entry.Stage.LIVE);
    endIfLost(box);
  }

  private static void letGo(Box box) {
    Shim shim = box.shim();
    if (shim != null) {
      shim.close();
    }
  }

  /** Lets go of all shims; the sandboxes live on. */
  @Override
  public void close() {
    for (Box box : boxes.all()) {
      // claimed, so that the end of the connection is not taken for the end of the shim
      if (box.advance(Entry.Stage.LIVE, Entry.Stage.ENDING)) {
        letGo(box);
      }
    }
  }
}
