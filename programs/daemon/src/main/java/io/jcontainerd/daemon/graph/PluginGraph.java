package io.jcontainerd.daemon.graph;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.introspection.Introspection;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Starts plug-ins in an order in which each finds what it needs, and closes them in reverse.
 *
 * <p>Used by one thread until {@link #start} has returned; after that the lists may be read by any.
 */
public final class PluginGraph implements AutoCloseable {
  private static final Logger LOG = System.getLogger(PluginGraph.class.getName());
  private static final int UNKNOWN = 2;

  /** What became of a plug-in. */
  private sealed interface Outcome {
    record Running(Started<?> started) implements Outcome {}

    record Absent(String reason) implements Outcome {}
  }

  private final Map<String, PluginSpec<?>> specs = new LinkedHashMap<>();
  private final Map<String, Outcome> outcomes = new LinkedHashMap<>();
  private final List<Introspection.Plugin> listed = new ArrayList<>();
  private boolean closed;

  /** Adds a plug-in; its URI must be new. */
  public void add(PluginSpec<?> spec) {
    if (specs.putIfAbsent(spec.key().uri(), spec) != null) {
      throw new IllegalArgumentException("plug-in added twice: " + spec.key());
    }
  }

  /** The URIs of all plug-ins that were added. */
  public Set<String> uris() {
    return new LinkedHashSet<>(specs.keySet());
  }

  /**
   * Starts every plug-in but the disabled ones.
   *
   * @param disabled URIs that are left out and do not appear in the list
   * @param required URIs whose failure ends the start
   * @throws FailedPreconditionException if a required one did not start, or is disabled or unknown;
   *     everything that had started is closed again
   */
  public void start(Collection<String> disabled, Collection<String> required) {
    disabled.forEach(specs::remove);
    try {
      for (String uri : required) {
        if (!specs.containsKey(uri)) {
          throw new FailedPreconditionException(
              "load required plugin " + uri + ": it does not exist or is disabled");
        }
      }
      for (PluginSpec<?> spec : ordered()) {
        startOne(spec);
        if (outcomes.get(spec.key().uri()) instanceof Outcome.Absent absent
            && required.contains(spec.key().uri())) {
          throw new FailedPreconditionException(
              "load required plugin " + spec.key() + ": " + absent.reason());
        }
      }
    } catch (RuntimeException e) {
      try {
        close();
      } catch (RuntimeException closing) {
        e.addSuppressed(closing);
      }
      throw e;
    }
  }

  private void startOne(PluginSpec<?> spec) {
    String uri = spec.key().uri();
    Outcome outcome;
    try {
      LOG.log(Level.DEBUG, "loading plugin {0}", uri);
      outcome = new Outcome.Running(spec.start().start(wiring));
    } catch (SkipPlugin e) {
      LOG.log(Level.INFO, "skip loading plugin {0}: {1}", uri, e.getMessage());
      outcome = new Outcome.Absent(text(e));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      outcome = new Outcome.Absent("interrupted");
    } catch (Exception e) {
      LOG.log(Level.WARNING, "failed to load plugin " + uri, e);
      outcome = new Outcome.Absent(text(e));
    }
    outcomes.put(uri, outcome);
    listed.add(describe(spec, outcome));
  }

  private static String text(Throwable e) {
    return e instanceof ContainerdException || e instanceof SkipPlugin
        ? String.valueOf(e.getMessage())
        : e.toString();
  }

  private static Introspection.Plugin describe(PluginSpec<?> spec, Outcome outcome) {
    PluginKey<?> key = spec.key();
    return switch (outcome) {
      case Outcome.Running(Started<?> s) ->
          new Introspection.Plugin(
              key.type(),
              key.id(),
              spec.requires(),
              s.platforms(),
              s.exports(),
              s.capabilities(),
              Optional.empty());
      case Outcome.Absent absent ->
          new Introspection.Plugin(
              key.type(),
              key.id(),
              spec.requires(),
              List.of(),
              Map.of(),
              List.of(),
              Optional.of(new Introspection.Failure(UNKNOWN, absent.reason())));
    };
  }

  /** Depth first, so that each comes after all of the types that it needs. */
  private List<PluginSpec<?>> ordered() {
    var order = new LinkedHashSet<PluginSpec<?>>();
    for (PluginSpec<?> spec : specs.values()) {
      visit(spec, order, new HashSet<>());
    }
    return List.copyOf(order);
  }

  private void visit(PluginSpec<?> spec, Set<PluginSpec<?>> order, Set<PluginSpec<?>> above) {
    if (order.contains(spec)) {
      return;
    }
    if (!above.add(spec)) {
      throw new IllegalStateException("plug-ins need each other in a circle: " + spec.key());
    }
    for (String type : spec.requires()) {
      for (PluginSpec<?> other : specs.values()) {
        if (other.key().type().equals(type) && !other.key().equals(spec.key())) {
          visit(other, order, above);
        }
      }
    }
    above.remove(spec);
    order.add(spec);
  }

  private final Wiring wiring =
      new Wiring() {
        @Override
        public <T> T get(PluginKey<T> key) {
          return find(key)
              .orElseThrow(
                  () ->
                      new UnavailableException(
                          "plugin "
                              + key
                              + (outcomes.get(key.uri()) instanceof Outcome.Absent absent
                                  ? " is not there: " + absent.reason()
                                  : " is disabled")));
        }

        @Override
        public <T> Optional<T> find(PluginKey<T> key) {
          return outcomes.get(key.uri()) instanceof Outcome.Running(Started<?> started)
              ? Optional.of(key.makes().cast(started.instance()))
              : Optional.empty();
        }

        @Override
        public <T> Map<String, T> everyOne(String type, Class<T> makes) {
          for (PluginSpec<?> spec : specs.values()) {
            if (spec.key().type().equals(type)
                && outcomes.get(spec.key().uri()) instanceof Outcome.Absent) {
              Object _ = get(spec.key()); // tells why
            }
          }
          return all(type, makes);
        }

        @Override
        public <T> Map<String, T> all(String type, Class<T> makes) {
          var found = new LinkedHashMap<String, T>();
          for (String uri : outcomes.keySet()) {
            PluginSpec<?> spec = specs.get(uri);
            if (spec != null
                && spec.key().type().equals(type)
                && outcomes.get(uri) instanceof Outcome.Running(Started<?> started)) {
              found.put(spec.key().id(), makes.cast(started.instance()));
            }
          }
          return found;
        }
      };

  /** The instances of what has started. */
  public Wiring wiring() {
    return wiring;
  }

  /** All plug-ins that were tried, in the order of their starts. */
  public List<Introspection.Plugin> plugins() {
    return List.copyOf(listed);
  }

  /** Closes what has started, the last first; a failure does not keep the others from closing. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    List<Map.Entry<String, Outcome>> reverse = new ArrayList<>(outcomes.entrySet()).reversed();
    for (Map.Entry<String, Outcome> entry : reverse) {
      if (entry.getValue() instanceof Outcome.Running(Started<?> started)
          && started.instance() instanceof AutoCloseable closeable) {
        try {
          closeable.close();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          LOG.log(Level.WARNING, "interrupted while closing plugin " + entry.getKey(), e);
        } catch (Exception e) {
          LOG.log(Level.WARNING, "failed to close plugin " + entry.getKey(), e);
        }
      }
    }
  }
}
