package io.jcontainerd.demo;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;

import io.jcontainerd.core.failure.ContainerdException;
import java.io.Console;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * {@code demo [IMAGE [COMMAND...]]}. The folder is {@code $JCONTAINERD_DEMO}, else {@code
 * target/demo} of the checkout. An interrupt takes everything away before the program ends.
 */
final class Main {
  private static final int LONGEST_SOCKET_FOLDER = 40;
  private static final Duration CLEANING = Duration.ofMinutes(4);
  private static final Logger NETTY = Logger.getLogger("io.netty.bootstrap");

  private Main() {}

  /** Exits with the container's status, 1 on a failure, 3 when something was left behind. */
  public static void main(String[] args) {
    NETTY.setLevel(Level.SEVERE); // it warns of an option that unix sockets do not have
    PrintStream out = System.out;
    Thread main = Thread.currentThread();
    CountDownLatch cleaned = new CountDownLatch(1);
    AtomicBoolean finished = new AtomicBoolean();
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  if (finished.get()) {
                    return;
                  }
                  out.println("\n* interrupted, cleaning up");
                  main.interrupt();
                  try {
                    if (!cleaned.await(CLEANING.toMillis(), TimeUnit.MILLISECONDS)) {
                      out.println("  cleaning up takes too long");
                    }
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                  }
                  out.flush();
                },
                "demo-interrupted"));
    int status = 1;
    try {
      status = run(args, out);
    } catch (IOException e) {
      System.err.println("demo: " + e.getMessage());
    } catch (InterruptedException e) {
      status = 130;
    } finally {
      out.flush();
      finished.set(cleaned.getCount() == 1);
      cleaned.countDown();
    }
    System.exit(status);
  }

  private static int run(String[] args, PrintStream out) throws IOException, InterruptedException {
    Path folder = folder();
    Files.createDirectories(folder);
    try (FileChannel lock = FileChannel.open(folder.resolve("lock"), CREATE, WRITE)) {
      if (lock.tryLock() == null) {
        throw new IOException("another demonstration runs in " + folder);
      }
      return alone(folder, args, out);
    }
  }

  private static Path checkout() {
    return Path.of(System.getProperty("jcontainerd.checkout", "")).toAbsolutePath();
  }

  private static Path folder() {
    String wanted = System.getenv("JCONTAINERD_DEMO");
    return wanted == null || wanted.isEmpty()
        ? checkout().resolve("target/demo")
        : Path.of(wanted).toAbsolutePath();
  }

  private static int alone(Path folder, String[] args, PrintStream out)
      throws IOException, InterruptedException {
    String name = "jcontainerd-demo-" + ProcessHandle.current().pid();
    Path run =
        folder.toString().length() <= LONGEST_SOCKET_FOLDER && isOpenToAll(folder)
            ? folder.resolve("r")
            : Path.of("/run", name);
    Leftovers leftovers = new Leftovers(folder, run, name);
    Leftovers.Found before = leftovers.look();
    if (!before.isEmpty()) {
      out.println("* clearing what an earlier run left: " + before);
      leftovers.clear();
    }
    Trees.delete(run);
    Trees.delete(folder.resolve("root"));
    Files.createDirectories(run);
    long began = System.nanoTime();
    int status = 1;
    try {
      boolean terminal = isTerminal();
      List<String> rest = List.of(args);
      status =
          new Demo(checkout(), folder, run, name, out, terminal)
              .run(
                  rest.stream().findFirst(),
                  rest.isEmpty() ? List.of() : rest.subList(1, rest.size()));
    } catch (ContainerdException e) {
      out.println("demo: " + e.getMessage());
      if (System.getenv("JCONTAINERD_DEMO_DEBUG") != null) {
        e.printStackTrace();
      }
    } catch (IOException e) {
      out.println("demo: " + e.getMessage());
    } finally {
      status = cleanUp(leftovers, folder, run, status, out);
    }
    out.printf("took %.1f s%n", (System.nanoTime() - began) / 1e9);
    return status;
  }

  /** Whether everybody, a container with other user ids too, may pass through to a folder. */
  private static boolean isOpenToAll(Path folder) throws IOException {
    for (Path each = folder; each != null; each = each.getParent()) {
      if (Files.isDirectory(each)
          && !Files.getPosixFilePermissions(each).contains(PosixFilePermission.OTHERS_EXECUTE)) {
        return false;
      }
    }
    return true;
  }

  @SuppressWarnings("SystemConsoleNull") // since JDK 25 it is null again without a terminal
  private static boolean isTerminal() {
    Console console = System.console();
    return console != null && console.isTerminal();
  }

  /** Not to be interrupted: looks, and takes away by force what did not go by itself. */
  private static int cleanUp(
      Leftovers leftovers, Path folder, Path run, int status, PrintStream out)
      throws IOException, InterruptedException {
    boolean interrupted = Thread.interrupted();
    out.println("* looking for what is left");
    Trees.delete(folder.resolve("image"));
    Leftovers.Found found = leftovers.settle(run);
    if (!found.isEmpty()) {
      out.println("  LEFT BEHIND: " + found);
      found.all().forEach(thing -> out.println("    " + thing));
      leftovers.clear();
      out.println("  after removing it: " + leftovers.look());
    }
    Trees.delete(run);
    Trees.delete(folder.resolve("root"));
    Trees.delete(folder.resolve("opt"));
    if (found.isEmpty()) {
      out.println("  nothing: " + leftovers.look());
    }
    if (interrupted) {
      throw new InterruptedException("interrupted");
    }
    return found.isEmpty() ? status : 3;
  }
}
