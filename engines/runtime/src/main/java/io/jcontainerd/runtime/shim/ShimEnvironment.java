package io.jcontainerd.runtime.shim;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What every shim is told about the daemon.
 *
 * @param grpcAddress the daemon's gRPC socket
 * @param ttrpcAddress the daemon's ttrpc socket, where events go
 * @param daemonBinary the program whose {@code publish} action is the old way for events
 * @param daemonVersion of the daemon
 * @param socketFolder where shims put their sockets
 * @param variables set for shims besides those of the daemon; the configured {@code env}
 * @param debug whether shims should log much
 */
public record ShimEnvironment(
    String grpcAddress,
    String ttrpcAddress,
    String daemonBinary,
    String daemonVersion,
    Path socketFolder,
    Map<String, String> variables,
    boolean debug) {

  /** Copies the variables. */
  public ShimEnvironment {
    variables = Map.copyOf(variables);
  }

  /** The environment of a shim's program for a namespace. */
  Map<String, String> of(String namespace) {
    Map<String, String> all = new LinkedHashMap<>(System.getenv());
    all.remove("NOTIFY_SOCKET"); // READY and STOPPING are the daemon's to say
    all.put("GOMAXPROCS", "2");
    all.put("MAX_SHIM_VERSION", "2");
    all.put("TTRPC_ADDRESS", ttrpcAddress);
    all.put("GRPC_ADDRESS", grpcAddress);
    all.put("NAMESPACE", namespace);
    all.putAll(variables);
    return all;
  }
}
