package io.jcontainerd.shim.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.jcontainerd.linux.process.ProcessIdentity;
import io.jcontainerd.linux.process.Signals;
import io.jcontainerd.testkit.time.Soon;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
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
@Timeout(180)
@SuppressWarnings("NullAway.Init")
class HostStarterTest {
  /** For a script to begin, on any machine. */
  private static final Duration LONG_ENOUGH = Duration.ofSeconds(5);

  private static final String OTHER = "another still starts a shim host";

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

  /** Once more while somebody else on this machine has the lock that all launchers share. */
  private void startInVain(Duration limit, HostStarter.Late late, String why) {
    var failures = new ArrayList<Throwable>();
    Soon.until(
        "nobody else starts a host",
        () -> {
          failures.add(
              catchThrowable(() -> starter.findOrStart(place, "/none", false, limit, late)));
          return why.equals(OTHER) || !String.valueOf(failures.getLast()).contains(OTHER);
        });
    assertThat(failures.getLast()).isInstanceOf(LaunchException.class).hasMessageContaining(why);
  }

  /** The number of the host's process; empty as long as it has not told it. */
  private String number() throws IOException {
    return Files.exists(pidFile()) ? Files.readString(pidFile()).strip() : "";
  }

  @Test
  void one_that_may_be_busy_lives_on() throws Exception {
    startInVain(LONG_ENOUGH, HostStarter.Late.LEAVE, "not up in time");
    Soon.until("the host has told its number", () -> !number().isEmpty());
    ProcessIdentity host = ProcessIdentity.of(Integer.parseInt(number())).orElseThrow();
    assertThat(host.isRunning()).isTrue();
    Signals.send(host.pid(), Signals.KILL);
  }

  @Test
  void one_that_nobody_waits_for_is_ended() throws Exception {
    startInVain(LONG_ENOUGH, HostStarter.Late.END, "not up in time");
    int pid = Integer.parseInt(number());
    // it may have been collected already
    Soon.until("process " + pid + " ends", () -> !isRunning(ProcessIdentity.of(pid)));
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
      startInVain(Duration.ofMillis(100), HostStarter.Late.END, OTHER);
    } finally {
      process.outputWriter().close(); // lets it end
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(pidFile()).doesNotExist();
  }

  @Test
  void none_is_started_when_the_time_is_over() throws Exception {
    startInVain(Duration.ofNanos(1), HostStarter.Late.END, "no time is left");
    assertThat(pidFile()).doesNotExist();
  }
}
