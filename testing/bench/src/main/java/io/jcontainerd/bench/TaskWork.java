package io.jcontainerd.bench;

import io.jcontainerd.api.types.Mount;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** Pieces of a task's life on one daemon, timed; for many threads. */
final class TaskWork implements AutoCloseable {
  private static final String TRUE = "\"/bin/true\"";
  private static final String SLEEP = "\"/bin/sleep\", \"1000000\"";
  private static final String SAY = "\"/bin/sh\", \"-c\", \"echo x\"";
  private static final long LIMIT_SECONDS = 60;

  /** Of 64 execs at once in one container, containerd 1.6 never starts some. */
  private static final int SLEEPERS = 8;

  private static final AtomicInteger SERIAL = new AtomicInteger();

  private final Api api;
  private final ExitEvents exits;
  private final Path folder;
  private final String layer;
  private final List<String> sleepers = new ArrayList<>();

  /** Has containers sleeping, for execs. */
  TaskWork(Subject subject) {
    this.api = subject.api();
    this.exits = api.exits();
    this.folder = subject.folder();
    this.layer = api.layer();
    for (int i = 0; i < SLEEPERS; i++) {
      sleepers.add(sleep());
    }
  }

  private static String id() {
    return "tasks-" + ProcessHandle.current().pid() + "-" + SERIAL.incrementAndGet();
  }

  /** Starts a container that does nothing; answers its id. */
  String sleep() {
    String id = id();
    api.create(id, layer, Image.spec(id, SLEEP));
    api.start(id);
    return id;
  }

  /** Ends a container and removes what is left of it. */
  void end(String id) {
    api.kill(id);
    api.await(id);
    api.delete(id);
  }

  /** From the create of a task, whose records are there, to the first byte that it says. */
  long firstByte() throws IOException, InterruptedException {
    String id = id();
    Path output = folder.resolve(id + ".fifo");
    Commands.run(List.of("mkfifo", output.toString()));
    List<Mount> mounts = api.records(id, layer, Image.spec(id, SAY));
    var came = new CompletableFuture<Long>();
    Thread reader = Thread.ofPlatform().daemon().start(() -> read(output, came));
    long begin = System.nanoTime();
    api.task(id, mounts, output.toString());
    api.start(id);
    long nanos = get(came, id) - begin;
    expectZero(api.await(id));
    api.delete(id);
    reader.join();
    Files.delete(output);
    return nanos;
  }

  private static void read(Path fifo, CompletableFuture<Long> came) {
    try (InputStream input = Files.newInputStream(fifo)) {
      int first = input.read();
      came.complete(System.nanoTime());
      if (first != 'x') {
        came.completeExceptionally(new IOException("read " + first));
      }
      input.skipNBytes(1);
    } catch (IOException e) {
      came.completeExceptionally(e);
    }
  }

  private static long get(CompletableFuture<Long> came, String id)
      throws IOException, InterruptedException {
    try {
      return came.get(LIMIT_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new IOException("container " + id + " said nothing", e);
    }
  }

  /** A container's whole life, its records included. */
  long wholeLife() {
    String id = id();
    long begin = System.nanoTime();
    api.create(id, layer, Image.spec(id, TRUE));
    api.start(id);
    expectZero(api.await(id));
    api.delete(id);
    return System.nanoTime() - begin;
  }

  /** One more process in a running container, to its end. */
  long exec() {
    int serial = SERIAL.incrementAndGet();
    String sleeper = sleepers.get(serial % SLEEPERS);
    long begin = System.nanoTime();
    expectZero(api.exec(sleeper, "exec-" + serial, Image.process(TRUE)));
    return System.nanoTime() - begin;
  }

  /** From a kill to the event that tells the end. */
  long killToEvent() throws InterruptedException {
    String id = sleep();
    long begin = System.nanoTime();
    api.kill(id);
    long nanos = exits.of(id, "kill") - begin;
    api.await(id);
    api.delete(id);
    return nanos;
  }

  private static void expectZero(int status) {
    if (status != 0) {
      throw new IllegalStateException("the container ended with " + status);
    }
  }

  @Override
  public void close() {
    exits.close();
    sleepers.forEach(this::end);
  }
}
