package io.jcontainerd.daemon.assembly;

import io.jcontainerd.daemon.config.LoadedConfig;
import io.jcontainerd.daemon.settings.Identity;
import io.jcontainerd.daemon.settings.PluginTables;
import io.jcontainerd.daemon.settings.RuntimeSettings;
import io.jcontainerd.linux.LinuxFiles;
import io.jcontainerd.linux.process.LinuxProcesses;
import io.jcontainerd.runtime.OciRuntimes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Completes a configuration by what a daemon finds out at its start: the default OCI runtime. */
public final class ProvenRuntime {
  private static final String KEY = PluginTables.SHIM_HOST + ": oci_runtime";

  private ProvenRuntime() {}

  /**
   * Tries the runtimes of this machine, as a daemon does, unless one is configured. If it cannot be
   * known, the configuration stays as it is and has one warning more.
   */
  public static LoadedConfig in(LoadedConfig config) throws IOException, InterruptedException {
    var host = config.settings(PluginTables.SHIM_HOST, RuntimeSettings.ShimHost.class);
    if (!host.ociRuntime().isEmpty()) {
      return config;
    }
    if (Identity.uid() != 0) {
      return config.warning(KEY + " is chosen at the daemon's start; only root can try it before");
    }
    var opt = config.settings(Keys.OPT.uri(), RuntimeSettings.Opt.class);
    Path scratch = Files.createTempDirectory("jcontainerd-dump-");
    try (LinuxProcesses processes = LinuxProcesses.open()) {
      OciRuntimes proof =
          OciRuntimes.prove(
              OciRuntimes.KNOWN,
              new OptionalPrograms(Path.of(opt.path())).searchPath(),
              new LinuxFiles(),
              processes,
              scratch);
      return proof
          .chosen()
          .map(
              program ->
                  config.with(
                      PluginTables.SHIM_HOST,
                      new RuntimeSettings.ShimHost(
                          host.shimGroup(), program.toString(), host.path())))
          .orElseGet(
              () ->
                  config.warning(
                      KEY
                          + " is empty, for no OCI runtime works on this host: "
                          + RuntimeChoice.reasons(proof.attempts())));
    } finally {
      Files.delete(scratch);
    }
  }
}
