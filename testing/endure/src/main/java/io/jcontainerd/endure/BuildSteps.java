package io.jcontainerd.endure;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.client.RemoteSnapshotter;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.linux.Mounter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.concurrent.TimeUnit;

/**
 * Snapshots that somebody makes by hand on an image, as a builder does: there is no blob to make
 * them from again, so what was committed must stay whatever happens.
 */
final class BuildSteps {
  private static final int MOST = 3;

  private final Tools tools;
  private final Ledger ledger;
  private final String namespace;
  private final String owner;

  BuildSteps(Tools tools, String namespace, String owner) {
    this.tools = tools;
    this.ledger = tools.ledger();
    this.namespace = namespace;
    this.owner = owner;
  }

  /** Makes one more, unless there are enough. */
  void build(Containerd client, ModelImage image, String snapshotter, int step, String id)
      throws IOException, InterruptedException {
    String name = "step-" + owner + "-" + id;
    String key = Keys.step(namespace, snapshotter, name);
    if (!ledger.known(key).value().isEmpty()) {
      new Leasing(ledger, namespace, "build-" + id).giveBack(client, false);
      return; // an earlier attempt did it
    }
    if (count() >= MOST) {
      removeOne(client);
    }
    Leasing leasing = new Leasing(ledger, namespace, "build-" + id);
    leasing.take(client);
    Call call = Call.in(namespace).withLease(leasing.id());
    call.<Void, IOException>call(
        () -> {
          RemoteSnapshotter snapshots = client.snapshotter(snapshotter);
          String active = "build-" + id;
          try {
            snapshots.remove(active); // what an earlier attempt left may be half written
          } catch (NotFoundException _) {
            // it left none
          }
          if (snapshots.prepare(active, image.top(), Map.of())
              instanceof Prepared.Writable writable) {
            try (Mounter.Mounted mounted = tools.mounter().mount(writable.mounts())) {
              write(mounted.root(), tools.model().step(step));
            }
          }
          ledger.promise(
              key,
              image.number() + " " + step,
              () ->
                  snapshots.commit(
                      name, active, Map.of("containerd.io/gc.root", "1970-01-01T00:00:00Z"), ""));
          return null;
        });
    leasing.giveBack(client, false);
  }

  private static void write(Path root, SortedMap<String, Node> nodes) throws IOException {
    for (Map.Entry<String, Node> each : nodes.entrySet()) {
      Path file = root.resolve(each.getKey());
      Node node = each.getValue();
      Files.write(file, node.bytes().get());
      Files.setAttribute(file, "unix:uid", node.uid());
      Files.setAttribute(file, "unix:gid", node.gid());
      Files.setAttribute(file, "unix:mode", node.mode());
      Files.setLastModifiedTime(file, FileTime.from(node.mtime(), TimeUnit.SECONDS));
    }
  }

  private long count() {
    return mine().count();
  }

  private java.util.stream.Stream<String> mine() {
    return ledger.under("step|" + namespace + "|").keySet().stream()
        .filter(key -> Keys.part(key, 3).startsWith("step-" + owner + "-"));
  }

  /** Removes one, if there is any. */
  void removeOne(Containerd client) {
    Optional<String> key = mine().findFirst();
    if (key.isEmpty() || ledger.known(key.get()).value().isEmpty()) {
      return;
    }
    RemoteSnapshotter snapshots = client.snapshotter(Keys.part(key.get(), 2));
    ledger.promise(key.get(), "", () -> snapshots.remove(Keys.part(key.get(), 3)));
  }
}
