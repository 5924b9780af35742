package io.jcontainerd.testkit.memory;

import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.Identifiers;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Fields;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.sandboxes.Sandbox;
import io.jcontainerd.core.sandboxes.SandboxStore;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Sandboxes in memory. Safe for many threads. */
public final class InMemorySandboxStore implements SandboxStore {
  private final Spaces<String, Sandbox> sandboxes = new Spaces<>();
  private final Time time;

  /** An empty store that reads this clock. */
  public InMemorySandboxStore(Time time) {
    this.time = time;
  }

  /** An empty store. */
  public InMemorySandboxStore() {
    this(Time.SYSTEM);
  }

  @Override
  public synchronized Sandbox get(String id) {
    Sandbox sandbox = sandboxes.current().get(id);
    if (sandbox == null) {
      throw new NotFoundException("sandbox \"" + id + "\"");
    }
    return sandbox;
  }

  @Override
  public synchronized List<Sandbox> list(Filter filter) {
    return sandboxes.current().values().stream()
        .filter(sandbox -> filter.matches(fields(sandbox)))
        .toList();
  }

  private static Fields fields(Sandbox sandbox) {
    return path ->
        switch (path.getFirst()) {
          case "id" -> Optional.of(sandbox.id());
          case "labels" -> Fields.entry(sandbox.labels(), path);
          default -> Optional.empty();
        };
  }

  @Override
  public synchronized Sandbox create(Sandbox sandbox) {
    Identifiers.check(sandbox.id());
    Instant now = time.now();
    Sandbox stored =
        checked(
            new Sandbox(
                sandbox.id(),
                sandbox.sandboxer(),
                sandbox.runtime(),
                sandbox.spec(),
                Labels.stored(sandbox.labels()),
                sandbox.extensions(),
                now,
                now));
    if (sandboxes.current().putIfAbsent(sandbox.id(), stored) != null) {
      throw new AlreadyExistsException("sandbox \"" + sandbox.id() + "\"");
    }
    return stored;
  }

  private static Sandbox checked(Sandbox sandbox) {
    if (sandbox.extensions().containsKey("")) {
      throw new InvalidArgumentException(
          "sandbox \"" + sandbox.id() + "\": with an empty extension key");
    }
    Labels.check(sandbox.labels());
    return sandbox;
  }

  @Override
  public synchronized Sandbox update(Sandbox sandbox, FieldMask mask) {
    Sandbox old = get(sandbox.id());
    Map<String, String> labels = old.labels();
    Map<String, TypedValue> extensions = new HashMap<>(old.extensions());
    Optional<TypedValue> spec = old.spec();
    Sandbox.Runtime runtime = old.runtime();
    for (String path :
        mask.isAll() ? List.of("labels", "extensions", "spec", "runtime") : mask.paths()) {
      if (FieldMask.selects(path, "labels")) {
        labels = FieldMask.patch(path, "labels", labels, sandbox.labels());
      } else if (path.equals("extensions")) {
        extensions.putAll(sandbox.extensions());
      } else if (path.startsWith("extensions.")) {
        String key = path.substring("extensions.".length());
        extensions.remove(key);
        if (sandbox.extensions().containsKey(key)) {
          extensions.put(key, sandbox.extensions().get(key));
        }
      } else if (path.equals("spec")) {
        spec = sandbox.spec();
      } else if (path.equals("runtime")) {
        if (!sandbox.runtime().name().equals(runtime.name())) {
          throw new InvalidArgumentException(
              "sandbox \"" + sandbox.id() + "\": the runtime's name cannot change");
        }
        runtime = sandbox.runtime();
      } else {
        throw FieldMask.refused(path, "sandbox");
      }
    }
    Sandbox updated =
        checked(
            new Sandbox(
                old.id(),
                old.sandboxer(),
                runtime,
                spec,
                Labels.stored(labels),
                extensions,
                old.createdAt(),
                time.now()));
    sandboxes.current().put(old.id(), updated);
    return updated;
  }

  @Override
  public synchronized void delete(String id) {
    Sandbox gone = get(id);
    sandboxes.current().remove(gone.id());
  }
}
