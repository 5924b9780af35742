package io.jcontainerd.mounts;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.mount.ActivationOptions;
import io.jcontainerd.core.mount.ActiveMount;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.mount.MountActivator;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.core.ports.NoSpaceException;
import io.jcontainerd.core.ports.Processes;
import io.jcontainerd.core.ports.Time;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/** Mounts on this machine, in numbered folders. */
public final class LocalMountActivator implements MountActivator {
  private static final int FOLDER_MODE = 0700;
  private static final int TYPE_MODE = 0600;
  private static final String TYPE = "-type";

  private final Path targets;
  private final Files files;
  private final Kernel kernel;
  private final Time time;
  private final Map<String, MountHandler> handlers = new HashMap<>();
  private final KernelHandler plain;
  private final Map<String, Transform> transforms;
  private final AtomicLong next;

  private LocalMountActivator(
      Path targets, List<Path> roots, Ports ports, List<MountHandler> handlers, long next) {
    this.targets = targets;
    this.files = ports.files();
    this.kernel = ports.kernel();
    this.time = ports.time();
    this.plain = new KernelHandler(files, kernel);
    handlers.forEach(handler -> this.handlers.put(handler.type(), handler));
    var allowed = new ArrayList<>(roots);
    allowed.add(targets);
    var all = new Roots(allowed);
    this.transforms =
        Map.of(
            "format", Template::fill,
            "mkfs", new MakeFileSystem(files, ports.processes(), all),
            "mkdir", new MakeFolders(files, all));
    this.next = new AtomicLong(next);
  }

  /** What it stands on. */
  public record Ports(Files files, Kernel kernel, Processes processes, Time time) {}

  /**
   * Opens it.
   *
   * @param targets the folder of the folders, made if need be
   * @param roots below which files and folders may be made for mounts, beside {@code targets}
   * @param handlers for types that the kernel alone cannot do
   */
  public static LocalMountActivator open(
      Path targets, List<Path> roots, Ports ports, List<MountHandler> handlers) {
    try {
      ports.files().createDirectories(targets, FOLDER_MODE);
      long next = 1;
      for (String name : ports.files().list(targets)) {
        next = Math.max(next, isId(name) ? Long.parseLong(name) + 1 : 0);
      }
      return new LocalMountActivator(targets, roots, ports, handlers, next);
    } catch (IOException e) {
      throw failure("mounts: open " + targets, e);
    }
  }

  private static boolean isId(String name) {
    return name.matches("[0-9]{1,18}");
  }

  private static ContainerdException failure(String what, IOException e) {
    String text = what + ": " + e.getMessage();
    return e instanceof NoSpaceException
        ? new ResourceExhaustedException(text, e)
        : new UnknownException(text, e);
  }

  private Path folder(long id) {
    return targets.resolve(Long.toString(id));
  }

  /** How many of the list, from its beginning, are ours to do; and what is asked of each. */
  private record Plan(int ours, List<Step> steps) {}

  /** What is asked of one mount: what its prefixes stand for, and its type without them. */
  private record Step(List<Transform> transforms, String type) {}

  private Plan plan(List<Mount> mounts, ActivationOptions options) {
    int ours = -1;
    var steps = new ArrayList<Step>();
    for (int i = 0; i < mounts.size(); i++) {
      String whole = mounts.get(i).type();
      String type = whole;
      var wanted = new ArrayList<Transform>();
      int slash = type.indexOf('/');
      while (slash >= 0 && transforms.containsKey(type.substring(0, slash))) {
        String prefix = type.substring(0, slash);
        wanted.add(Objects.requireNonNull(transforms.get(prefix)));
        if (!options.allowed().contains(prefix + "/*") && !options.allowed().contains(whole)) {
          ours = Math.max(ours, i); // what stands before it must be mounted
        }
        type = type.substring(slash + 1);
        slash = type.indexOf('/');
      }
      boolean handled = handlers.containsKey(type) && !options.allowed().contains(type);
      if (handled || options.temporary()) {
        ours = i + 1;
      }
      steps.add(new Step(wanted, type));
    }
    return new Plan(ours, steps);
  }

  @Override
  public Done activate(List<Mount> mounts, ActivationOptions options) {
    Plan plan = plan(mounts, options);
    if (plan.ours() < 0) {
      throw new NotImplementedException("mounts: nothing in the list is for the mount manager");
    }
    long id = next.getAndIncrement();
    Path folder = folder(id);
    var active = new ArrayList<ActiveMount>();
    try {
      files.createDirectory(folder, FOLDER_MODE);
      for (int i = 0; i < plan.ours(); i++) {
        active.add(mount(mounts.get(i), plan.steps().get(i), folder, plan.ours() - i, active));
      }
      return new Done(id, active, system(mounts, plan, active));
    } catch (IOException | RuntimeException e) {
      undo(id, e);
      if (e instanceof IOException io) {
        throw failure("mounts: mount " + (active.size() + 1) + " of " + mounts.size(), io);
      }
      throw (RuntimeException) e;
    }
  }

  private void undo(long id, Exception reason) {
    try {
      deactivate(id);
    } catch (NotFoundException _) {
      // it had not come that far
    } catch (ContainerdException second) {
      reason.addSuppressed(second); // what nobody has a record of goes at the next start
    }
  }

  private static Mount transformed(Mount mount, Step step, List<ActiveMount> earlier)
      throws IOException {
    Mount at = mount;
    for (Transform transform : step.transforms()) {
      at = transform.apply(at, earlier);
    }
    return new Mount(step.type(), at.source(), at.target(), at.options());
  }

  private ActiveMount mount(
      Mount mount, Step step, Path folder, int number, List<ActiveMount> earlier)
      throws IOException {
    Mount ready = transformed(mount, step, earlier);
    String name = "%03d".formatted(number);
    files.writeAll(
        folder.resolve(name + TYPE), ready.type().getBytes(StandardCharsets.UTF_8), TYPE_MODE);
    Path at = folder.resolve(name);
    Mount done = handler(ready.type()).mount(ready, at);
    return new ActiveMount(done, time.now(), at.toString());
  }

  private MountHandler handler(String type) {
    MountHandler handler = handlers.get(type);
    return handler == null ? plain : handler;
  }

  /**
   * What is left; the prefixes of the first of it were reason enough to do all before it. If
   * nothing is, the tree is where the last was mounted.
   */
  private static List<Mount> system(List<Mount> mounts, Plan plan, List<ActiveMount> active)
      throws IOException {
    var left = new ArrayList<Mount>();
    for (int i = plan.ours(); i < mounts.size(); i++) {
      left.add(
          i == plan.ours()
              ? transformed(mounts.get(i), plan.steps().get(i), active)
              : mounts.get(i));
    }
    if (left.isEmpty() && !active.isEmpty()) {
      left.add(new Mount("bind", active.getLast().mountPoint(), List.of("rbind")));
    }
    return left;
  }

  @Override
  public void deactivate(long id) {
    Path folder = folder(id);
    try {
      if (files.stat(folder).isEmpty()) {
        throw new NotFoundException("mounts " + id);
      }
      // The last mount has the lowest number, and so comes first.
      for (String name : files.list(folder)) {
        if (name.endsWith(TYPE)) {
          String type = new String(files.readAll(folder.resolve(name)), StandardCharsets.UTF_8);
          String place = name.substring(0, name.length() - TYPE.length());
          handler(type).unmount(folder.resolve(place));
        }
      }
      for (String name : files.list(folder)) {
        files.delete(folder.resolve(name));
      }
      files.delete(folder);
    } catch (IOException e) {
      throw failure("mounts " + id + ": unmount", e);
    }
  }

  @Override
  public Set<Long> ids() {
    try {
      var ids = new HashSet<Long>();
      for (String name : files.list(targets)) {
        if (isId(name)) {
          ids.add(Long.parseLong(name));
        }
      }
      return ids;
    } catch (IOException e) {
      throw failure("mounts: list " + targets, e);
    }
  }

  @Override
  public boolean isWhole(Done done) {
    try {
      List<Path> points = kernel.mountTable().stream().map(Kernel.MountPoint::mountPoint).toList();
      for (ActiveMount mount : done.active()) {
        if (!handler(mount.mount().type()).isMounted(Path.of(mount.mountPoint()), points)) {
          return false;
        }
      }
      return files.stat(folder(done.id())).isPresent();
    } catch (IOException e) {
      throw failure("mounts " + done.id() + ": look", e);
    }
  }
}
