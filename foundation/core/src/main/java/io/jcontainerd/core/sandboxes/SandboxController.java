package io.jcontainerd.core.sandboxes;

import io.jcontainerd.core.Platform;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.mount.Mount;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Runs sandboxes, in the namespace of the current call. Safe for many threads.
 *
 * <p>A sandbox is created, started, and stopped; then its end can be waited for, and at last it is
 * shut down, which frees whatever it holds. A sandbox may be shut down at any moment of its life.
 * The controller keeps no records: those are {@link SandboxStore}'s, and whoever asks keeps both in
 * step.
 */
public interface SandboxController {
  /**
   * What a sandbox is made of.
   *
   * @param sandbox its record; it need not be stored
   * @param rootfs mounts of a root file system, for controllers that start something there
   * @param options of this controller's kind
   * @param netnsPath a network namespace to join; empty for none
   * @param annotations for the controller
   */
  record Creation(
      Sandbox sandbox,
      List<Mount> rootfs,
      Optional<TypedValue> options,
      String netnsPath,
      Map<String, String> annotations) {
    /** Copies mounts and annotations. */
    public Creation {
      rootfs = List.copyOf(rootfs);
      annotations = Map.copyOf(annotations);
    }
  }

  /**
   * Where tasks of a sandbox are served.
   *
   * @param address such as {@code ttrpc+unix:///path}; empty if each task has a shim as any other
   * @param version of the task API there; 0 without an address
   */
  record Endpoint(String address, int version) {
    /** Tasks have shims as any other. */
    public static final Endpoint NONE = new Endpoint("", 0);
  }

  /**
   * A sandbox that runs.
   *
   * @param pid its process; 0 if it has none
   * @param createdAt when it began
   * @param spec what containers of it have to know, if there is anything
   * @param endpoint where its tasks are served
   */
  record Started(int pid, Instant createdAt, Optional<TypedValue> spec, Endpoint endpoint) {}

  /**
   * How a sandbox ended.
   *
   * @param status as of a process
   * @param at when
   */
  record End(int status, Instant at) {}

  /**
   * The state of a sandbox.
   *
   * @param pid its process; 0 if it has none
   * @param state in the controller's words; empty for a sandbox that it does not know
   * @param info more, for people
   * @param createdAt when it began, if it did
   * @param exitedAt when it ended, if it did
   * @param extra of the controller's kind
   * @param endpoint where its tasks are served
   */
  record Status(
      int pid,
      String state,
      Map<String, String> info,
      Optional<Instant> createdAt,
      Optional<Instant> exitedAt,
      Optional<TypedValue> extra,
      Endpoint endpoint) {
    /** Copies the info. */
    public Status {
      info = Map.copyOf(info);
    }

    /** The state of a sandbox that is not known, and so is over. */
    public static Status unknown(Instant now) {
      return new Status(
          0, "", Map.of(), Optional.empty(), Optional.of(now), Optional.empty(), Endpoint.NONE);
    }
  }

  /**
   * What a sandbox uses.
   *
   * @param at when that was
   * @param id the sandbox's
   * @param data of the controller's kind
   */
  record Metrics(Instant at, String id, Optional<TypedValue> data) {}

  /**
   * Makes a sandbox that does not run yet; after a failure nothing is left of it.
   *
   * @throws io.jcontainerd.core.failure.AlreadyExistsException if there is one of that id
   */
  void create(Creation creation) throws InterruptedException;

  /**
   * Lets a created sandbox run.
   *
   * @throws io.jcontainerd.core.failure.NotFoundException if there is none
   */
  Started start(String id) throws InterruptedException;

  /**
   * What the sandbox's containers run on.
   *
   * @throws io.jcontainerd.core.failure.NotFoundException if there is none
   */
  Platform platform(String id) throws InterruptedException;

  /**
   * Ends what runs; no failure if nothing does, or if there is no such sandbox.
   *
   * @param patience to let it end by itself; none leaves that to the controller
   */
  void stop(String id, Duration patience) throws InterruptedException;

  /**
   * Waits for the sandbox's end, as long as the caller does.
   *
   * @throws io.jcontainerd.core.failure.NotFoundException if there is none
   */
  End await(String id) throws InterruptedException;

  /**
   * The sandbox's state; one that is not known is over.
   *
   * @param verbose whether info is wanted
   */
  Status status(String id, boolean verbose) throws InterruptedException;

  /**
   * Frees all that the sandbox holds, and forgets it.
   *
   * @throws io.jcontainerd.core.failure.NotFoundException if there is none
   */
  void shutdown(String id) throws InterruptedException;

  /**
   * What the sandbox uses.
   *
   * @throws io.jcontainerd.core.failure.NotFoundException if there is none
   */
  Metrics metrics(String id) throws InterruptedException;

  /** The record was changed; most controllers have nothing to do. */
  void update(Sandbox sandbox, List<String> fields) throws InterruptedException;
}
