package io.jcontainerd.daemon.assembly;

import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.linux.LinuxFiles;
import io.jcontainerd.linux.LinuxKernel;
import io.jcontainerd.linux.Mounter;
import io.jcontainerd.linux.process.LinuxProcesses;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The four ports as this machine has them.
 *
 * @param processes ends with the graph
 * @param mounter mounts trees for the time of one operation, below {@code tmpmounts}
 */
record Machine(Files files, Kernel kernel, LinuxProcesses processes, Time time, Mounter mounter)
    implements AutoCloseable {

  /** Opens the ports, and unmounts what a killed daemon left mounted below {@code root}. */
  static Machine open(Path root) throws IOException {
    Path temporary = root.resolve("tmpmounts");
    var kernel = new LinuxKernel(temporary);
    var mounter = new Mounter(kernel, temporary);
    mounter.cleanLeftovers();
    return new Machine(new LinuxFiles(), kernel, LinuxProcesses.open(), Time.SYSTEM, mounter);
  }

  @Override
  public void close() throws IOException {
    processes.close();
  }
}
