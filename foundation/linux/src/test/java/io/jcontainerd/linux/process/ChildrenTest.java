package io.jcontainerd.linux.process;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.linux.descriptor.OwnedDescriptor;
import io.jcontainerd.linux.descriptor.Pipe;
import io.jcontainerd.linux.descriptor.Reactor;
import io.jcontainerd.linux.libc.ProcessCalls;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ChildrenTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  /** Often enough for one open file each time to be seen beside those of others. */
  private static final int TIMES = 10;

  /** Descriptors that the JDK may open meanwhile. */
  private static final int OTHERS = 8;

  private Reactor reactor;
  private Children children;

  @BeforeEach
  void open() throws IOException {
    reactor = Reactor.start("children-test");
    children = new Children(reactor, Clock.systemUTC());
  }

  @AfterEach
  void close() throws IOException {
    reactor.close();
  }

  private Child shell(String script) throws IOException {
    return children.spawn(Program.of("/bin/sh", List.of("-c", script), List.of("PATH=/bin")));
  }

  private static long descriptors() throws IOException {
    try (Stream<Path> entries = Files.list(Path.of("/proc/self/fd"))) {
      return entries.count();
    }
  }

  @Test
  void two_hundred_children_at_once_all_tell_their_own_code_and_leave_no_descriptor()
      throws Exception {
    shell("exit 0").await(LONG); // everything is loaded now
    settle();
    long before = descriptors();
    List<Child> started = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      started.add(shell("exit " + i));
    }
    for (int i = 0; i < 200; i++) {
      assertThat(started.get(i).await(LONG).orElseThrow().code()).isEqualTo(i);
    }
    assertThat(children.count()).isZero();
    settle();
    assertThat(descriptors()).isLessThanOrEqualTo(before + OTHERS);
  }

  /** Everything that was handed to the reactor so far is done. */
  private void settle() throws InterruptedException {
    var done = new java.util.concurrent.CountDownLatch(1);
    reactor.execute(done::countDown);
    assertThat(done.await(60, java.util.concurrent.TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void what_cannot_be_watched_is_not_left_running() throws Exception {
    shell("exit 0").await(LONG); // everything is loaded now
    settle();
    long before = descriptors();
    Reactor closed = Reactor.start("closed");
    closed.close();
    Children unwatched = new Children(closed, Clock.systemUTC());
    Program program = Program.of("/bin/sleep", List.of("1000"), List.of());
    for (int i = 0; i < TIMES; i++) {
      Program each = i % 2 == 0 ? program : program.withGroupThatEnds();
      assertThatThrownBy(() -> unwatched.spawn(each)).isInstanceOf(IllegalStateException.class);
      assertThat(ProcessHandle.current().children()).isEmpty();
    }
    assertThat(unwatched.count()).isZero();
    assertThat(descriptors()).isLessThan(before + TIMES);
  }

  @Test
  void a_signal_reaches_the_child_and_not_its_successor() throws Exception {
    Child child = shell("exec sleep 1000");
    assertThat(child.signal(Signals.TERM)).isTrue();
    assertThat(child.await(LONG).orElseThrow().code()).isEqualTo(143);
    assertThat(child.signal(Signals.TERM)).isFalse();
  }

  @Test
  void waiting_ends_when_its_time_is_over() throws Exception {
    Child child = shell("exec sleep 1000");
    assertThat(child.await(Duration.ofMillis(50))).isEmpty();
    child.signal(Signals.KILL);
    assertThat(child.await(LONG).orElseThrow().code()).isEqualTo(137);
  }

  @Test
  void the_code_of_somebody_elses_child_is_told_by_the_kernel_that_keeps_it() throws Exception {
    // the outer shell stays the parent and collects; we only hold the pidfd
    try (Pipe pipe = Pipe.open();
        Pipe go = Pipe.open()) {
      Child parent =
          children.spawn(
              Program.of(
                      "/bin/sh",
                      List.of(
                          "-c",
                          "(read line; exit 42) <&3 & echo $!; exec 3<&-; wait; exec sleep 1000"),
                      List.of("PATH=/bin"))
                  .withDescriptors(Map.of(3, go.reading(), 1, pipe.writing())));
      int pid = Integer.parseInt(readLine(pipe.reading()));
      Child adopted = children.adopt(ProcessIdentity.of(pid).orElseThrow()).orElseThrow();
      go.writing().close();
      int expected = keepsExitCodes() ? 42 : ExitStatus.UNKNOWN;
      assertThat(adopted.await(LONG).orElseThrow().code()).isEqualTo(expected);
      parent.signal(Signals.KILL);
      assertThat(parent.await(LONG)).isPresent();
    }
  }

  private static boolean keepsExitCodes() {
    String[] version = System.getProperty("os.version").split("[.-]", -1);
    int major = Integer.parseInt(version[0]);
    return major > 6 || (major == 6 && Integer.parseInt(version[1]) >= 15);
  }

  private static String readLine(OwnedDescriptor from) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(64);
    do {
      assertThat(from.read(buffer)).isPositive();
    } while (buffer.get(buffer.position() - 1) != '\n');
    byte[] bytes = new byte[buffer.position() - 1];
    buffer.flip().get(bytes);
    return new String(bytes, UTF_8);
  }

  @Test
  void a_recorded_process_that_is_gone_or_was_replaced_is_not_adopted() throws Exception {
    Child child = shell("exec sleep 1000");
    ProcessIdentity identity = ProcessIdentity.of(child.pid()).orElseThrow();
    assertThat(identity.isRunning()).isTrue();
    assertThat(children.adopt(new ProcessIdentity(child.pid(), identity.startTicks() - 1)))
        .isEmpty();
    child.signal(Signals.KILL);
    child.await(LONG);
    assertThat(identity.isRunning()).isFalse();
    assertThat(children.adopt(identity)).isEmpty();
  }

  /** A grandchild whose parent left first, and which then ended with 9. */
  private int endedOrphan() throws Exception {
    try (Pipe pipe = Pipe.open();
        Pipe go = Pipe.open()) {
      Child parent =
          children.spawn(
              Program.of(
                      "/bin/sh",
                      List.of("-c", "(read line; exit 9) <&3 & echo $!"),
                      List.of("PATH=/bin"))
                  .withDescriptors(Map.of(3, go.reading(), 1, pipe.writing())));
      parent.await(LONG);
      int orphan = Integer.parseInt(readLine(pipe.reading()));
      ProcessIdentity identity = ProcessIdentity.of(orphan).orElseThrow();
      go.writing().close();
      long deadline = System.nanoTime() + LONG.toNanos();
      while (identity.isRunning()) {
        assertThat(System.nanoTime()).isLessThan(deadline);
        Thread.onSpinWait();
      }
      return orphan;
    }
  }

  @Test
  void orphans_are_collected_but_not_while_somebody_holds() throws Exception {
    boolean before = Children.isSubreaper();
    Children.becomeSubreaper();
    try {
      assertThat(Children.isSubreaper()).isTrue();
      children.reapOrphans();
      int orphan;
      try (Children.Hold _ = children.hold()) {
        // an orphan that ended while held is still there to be watched, with its own code
        assertThat(children.watch(endedOrphan()).await(LONG).orElseThrow().code()).isEqualTo(9);
        orphan = endedOrphan();
        assertThat(Files.exists(Path.of("/proc/" + orphan))).isTrue();
      }
      settle();
      assertThat(Files.exists(Path.of("/proc/" + orphan))).isFalse();
    } finally { // nobody would collect the orphans of the tests that come next
      ProcessCalls.prctl(ProcessCalls.PR_SET_CHILD_SUBREAPER, 0);
    }
    assertThat(before).isFalse();
  }
}
