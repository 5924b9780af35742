package io.jcontainerd.shim.launch;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.runtime.Spec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;

/**
 * Where a host is. Its key is the version of this program, the daemon's address and what its
 * containers have in common, joined by {@code @}, with {@code %} for slashes; a long one is hashed.
 * So a new version starts a host of its own beside that of the old one.
 *
 * @param state its state folder, named by its key
 * @param socket its own, where it serves or will
 */
record HostPlace(Path state, Path socket) {
  private static final Path STATES = Path.of("/run/jcontainerd/jrunc");
  private static final String SOCKETS = "/run/containerd/s";
  private static final int LONGEST = 200;
  private static final String GROUP = "io.containerd.runc.v2.group";
  private static final String SANDBOX = "io.kubernetes.cri.sandbox-id";

  /** The one for a container that is to be started. */
  static HostPlace of(StartRequest request, Settings.Group group, String version, Path bundle)
      throws IOException {
    String shared =
        switch (group) {
          case NODE -> "";
          case NAMESPACE -> "@" + request.namespace();
          case CONTAINER -> "@" + request.namespace() + "@" + request.id();
          case POD -> "@" + request.namespace() + "@" + pod(bundle, request.id());
        };
    String key = (version + "@" + request.grpcAddress() + shared).replace('/', '%');
    String name = key.length() > LONGEST ? hash(key) : key;
    String folder = request.socketFolder().isEmpty() ? SOCKETS : request.socketFolder();
    return new HostPlace(STATES.resolve(name), Path.of(folder).resolve(hash(name)));
  }

  /**
   * The one that a container was given, as its bundle tells.
   *
   * @param address of the namespace's socket
   */
  static HostPlace of(Path state, String address) {
    Path socket = path(address).resolveSibling(hash(String.valueOf(state.getFileName())));
    return new HostPlace(state, socket);
  }

  /** The socket's path. */
  static Path path(String address) {
    return Path.of(
        address.startsWith(NamespaceRequest.SCHEME)
            ? address.substring(NamespaceRequest.SCHEME.length())
            : address);
  }

  /** Where a namespace is served. */
  Path socket(String namespace) {
    return socket.resolveSibling(hash(state.getFileName() + "@" + namespace));
  }

  /** Held by who starts a host. */
  Path lock() {
    return STATES.resolve("lock");
  }

  ServingMark mark() {
    return new ServingMark(state);
  }

  /** There while the host has the container, or something of it. */
  Path record(String namespace, String id) {
    return state.resolve("containers").resolve(namespace).resolve(id + ".json");
  }

  private static String pod(Path bundle, String id) throws IOException {
    Path config = bundle.resolve("config.json");
    try {
      Map<String, String> annotations =
          new Spec(JsonObject.parse(Files.readAllBytes(config))).annotations();
      return annotations.getOrDefault(GROUP, annotations.getOrDefault(SANDBOX, id));
    } catch (NoSuchFileException e) {
      throw new LaunchException("bundle " + bundle + " has no config.json", e);
    }
  }

  private static String hash(String text) {
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8));
      return HexFormat.of().formatHex(hash);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
