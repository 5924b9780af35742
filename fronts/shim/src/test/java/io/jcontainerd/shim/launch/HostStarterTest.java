package io.jcontainerd.shim.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.linux.process.ProcessIdentity;
import io.jcontainerd.linux.process.Signals;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Hosts that do not serve in time. */
@Tag("root")
@Timeout(60)
@SuppressWarnings("NullAway.Init")
class HostStarterTest {
  @TempDir Path folder;

  private HostPlace place;
  private HostStarter starter;

  @BeforeEach
  void a_host_that_never_serves() throws Exception {
    place = new HostPlace(folder.resolve("state"), folder.resolve("socket"));
    Files.createDirectories(place.lock().resolveSibling("."));
    Path program = folder.resolve("host");
    Files.writeString(program, "#!/bin/sh\necho $$ > " + pidFile() + "\nexec sleep 600\n");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
    starter = new HostStarter(program, System.getenv(), Settings.of(Map.of()));
  }

  private Path pidFile() {
    return folder.resolve("pid");
  }

  private void startInVain(Duration limit, HostStarter.Late late, String why) {
    assertThatThrownBy(() -> starter.findOrStart(place, "/none", false, limit, late))
        .isInstanceOf(LaunchException.class)
        .hasMessageContaining(why);
  }

  /**
   * The host, which is this program's child: nobody but its end takes it off the list of processes.
   */
  private ProcessIdentity host() throws Exception {
    int pid = Integer.parseInt(Files.readString(pidFile()).strip());
    return ProcessIdentity.of(pid).orElseThrow();
  }

  @Test
  void one_that_may_be_busy_lives_on() throws Exception {
    startInVain(Duration.ofSeconds(2), HostStarter.Late.LEAVE, "not up in time");
    ProcessIdentity host = host();
    assertThat(host.isRunning()).isTrue();
    Signals.send(host.pid(), Signals.KILL);
  }

  @Test
  void one_that_nobody_waits_for_is_ended() throws Exception {
    startInVain(Duration.ofSeconds(2), HostStarter.Late.END, "not up in time");
    int pid = Integer.parseInt(Files.readString(pidFile()).strip());
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (isRunning(ProcessIdentity.of(pid))) { // it may have been collected already
      assertThat(System.nanoTime() - deadline).as("process " + pid).isNegative();
      Thread.sleep(5);
    }
    assertThat(place.mark().find()).isEmpty();
  }

  private static boolean isRunning(Optional<ProcessIdentity> process) throws Exception {
    return process.isPresent() && process.get().isRunning();
  }

  @Test
  void one_that_starts_another_is_not_waited_for_longer_than_there_is_time() throws Exception {
    Files.createDirectories(place.state());
    Path holder = folder.resolve("Holder.java");
    Files.writeString(
        holder,
        """
        void main(String[] args) throws Exception {
          try (var file = new java.io.RandomAccessFile(args[0], "rw");
              var lock = file.getChannel().lock()) {
            IO.println("held");
            IO.readln();
          }
        }
        """);
    String java = ProcessHandle.current().info().command().orElseThrow();
    Process process =
        new ProcessBuilder(java, holder.toString(), place.lock().toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      assertThat(process.inputReader().readLine()).isEqualTo("held");
      startInVain(Duration.ofMillis(100), HostStarter.Late.END, "another still starts a shim host");
    } finally {
      process.outputWriter().close(); // lets it end
      assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(pidFile()).doesNotExist();
  }

  @Test
  void none_is_started_when_the_time_is_over() throws Exception {
    startInVain(Duration.ofNanos(1), HostStarter.Late.END, "no time is left");
    assertThat(pidFile()).doesNotExist();
  }
}
