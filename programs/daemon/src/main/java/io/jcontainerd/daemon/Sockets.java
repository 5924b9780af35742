package io.jcontainerd.daemon;

import io.jcontainerd.daemon.config.LoadedConfig;
import io.jcontainerd.daemon.server.SocketFile;
import io.jcontainerd.daemon.settings.ServerSettings;
import java.io.IOException;
import java.nio.file.Path;

/** The sockets by which another daemon is noticed before anything of its tasks is touched. */
final class Sockets {
  private static final String GRPC = "io.containerd.server.v1.grpc";
  private static final String TTRPC = "io.containerd.server.v1.ttrpc";

  private Sockets() {}

  /**
   * Looks at the daemon's own addresses, and where a containerd with this state folder listens by
   * default.
   *
   * @throws io.jcontainerd.core.failure.FailedPreconditionException if somebody serves one
   */
  static void requireFree(LoadedConfig config, Path state) throws IOException {
    var grpc = config.settings(GRPC, ServerSettings.Grpc.class);
    var ttrpc = config.settings(TTRPC, ServerSettings.Ttrpc.class);
    new SocketFile(Path.of(grpc.address()), grpc.uid(), grpc.gid()).requireFree();
    new SocketFile(Path.of(ttrpc.address()), ttrpc.uid(), ttrpc.gid()).requireFree();
    Path usual = state.resolve("containerd.sock");
    if (!usual.toString().equals(grpc.address()) && SocketFile.fits(usual)) {
      new SocketFile(usual, grpc.uid(), grpc.gid()).requireFree();
    }
  }
}
