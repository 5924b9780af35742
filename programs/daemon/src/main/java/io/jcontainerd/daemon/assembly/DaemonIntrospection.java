package io.jcontainerd.daemon.assembly;

import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.introspection.Introspection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What this daemon tells about itself: its identity and its plug-ins. */
final class DaemonIntrospection implements Introspection {
  /** Tells more about one plug-in. */
  @FunctionalInterface
  interface Details {
    /** Answers a client that asks with {@code options}. */
    TypedValue info(Optional<TypedValue> options);
  }

  /** Who can tell more about a plug-in, by its type and id; empty when nobody can. */
  @FunctionalInterface
  interface DetailSource {
    Optional<Details> of(String type, String id);
  }

  private static final Path UUID_FILE = Path.of("io.containerd.grpc.v1.introspection", "uuid");
  private static final Pattern PID_NAMESPACE = Pattern.compile("pid:\\[([0-9]+)]");

  private final Server server;
  private final Supplier<List<Deprecation>> deprecations;
  private final Supplier<List<Plugin>> plugins;
  private final DetailSource details;

  private DaemonIntrospection(
      Server server,
      Supplier<List<Deprecation>> deprecations,
      Supplier<List<Plugin>> plugins,
      DetailSource details) {
    this.server = server;
    this.deprecations = deprecations;
    this.plugins = plugins;
    this.details = details;
  }

  /** Reads the identity below {@code root}, or makes a new one there. */
  static DaemonIntrospection open(
      Path root,
      Supplier<List<Deprecation>> deprecations,
      Supplier<List<Plugin>> plugins,
      DetailSource details)
      throws IOException {
    var server =
        new Server(
            uuid(root.resolve(UUID_FILE)),
            ProcessHandle.current().pid(),
            pidNamespace(),
            List.of());
    return new DaemonIntrospection(server, deprecations, plugins, details);
  }

  private static String uuid(Path file) throws IOException {
    if (Files.exists(file)) {
      String text = Files.readString(file).strip();
      if (!text.isEmpty()) {
        return text;
      }
    }
    String uuid = UUID.randomUUID().toString();
    Files.createDirectories(file.getParent());
    Path beside = file.resolveSibling("uuid.new");
    Files.writeString(beside, uuid);
    Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE);
    return uuid;
  }

  private static long pidNamespace() throws IOException {
    Matcher matcher =
        PID_NAMESPACE.matcher(Files.readSymbolicLink(Path.of("/proc/self/ns/pid")).toString());
    return matcher.matches() ? Long.parseLong(matcher.group(1)) : 0;
  }

  @Override
  public List<Plugin> plugins() {
    return plugins.get();
  }

  @Override
  public Server server() {
    return new Server(server.uuid(), server.pid(), server.pidNamespace(), deprecations.get());
  }

  @Override
  public TypedValue info(String type, String id, Optional<TypedValue> options) {
    if (plugins().stream().noneMatch(p -> p.type().equals(type) && p.id().equals(id))) {
      throw new NotFoundException("plugin " + type + "." + id);
    }
    return details
        .of(type, id)
        .orElseThrow(
            () -> new NotImplementedException("plugin " + type + "." + id + " has nothing to tell"))
        .info(options);
  }
}
