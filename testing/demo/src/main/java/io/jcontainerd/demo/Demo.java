package io.jcontainerd.demo;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.client.NewContainer;
import io.jcontainerd.client.ProcessIo;
import io.jcontainerd.client.PulledImage;
import io.jcontainerd.client.Task;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.oci.runtime.Capabilities;
import io.jcontainerd.oci.runtime.IdMapping;
import io.jcontainerd.oci.runtime.SpecOptions;
import io.jcontainerd.registry.DistributionRegistry;
import io.jcontainerd.registry.RegistryOptions;
import io.jcontainerd.testkit.registry.DockerRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One container's whole life through the client library: the image is made and pushed, or named by
 * the user, then pulled, run with limits, and everything is taken away again.
 */
final class Demo {
  private static final String NAMESPACE = "jcontainerd-demo";
  private static final String BUILD = "jcontainerd-demo-build";
  private static final Duration RUN = Duration.ofMinutes(10);
  private static final Pattern CAPABILITY_LINE = Pattern.compile("(Cap\\w+):\\s+([0-9a-f]{16})");

  private final Path checkout;
  private final Path folder;
  private final Path run;
  private final String name;
  private final PrintStream out;
  private final boolean terminal;
  private long stepBegan = System.nanoTime();

  Demo(Path checkout, Path folder, Path run, String name, PrintStream out, boolean terminal) {
    this.checkout = checkout;
    this.folder = folder;
    this.run = run;
    this.name = name;
    this.out = out;
    this.terminal = terminal;
  }

  /** The container's exit status. */
  int run(Optional<String> image, List<String> command) throws IOException, InterruptedException {
    begin("starting jcontainerd in " + folder);
    try (DemoDaemon daemon =
            DemoDaemon.start(checkout.resolve("target/bin/jcontainerd"), folder, run);
        Containerd root = Containerd.connect(daemon.address());
        DistributionRegistry registry = new DistributionRegistry(RegistryOptions.defaults())) {
      Containerd client = root.in(NAMESPACE);
      end("jcontainerd " + root.version().version() + ", pid " + daemon.pid());
      if (image.isPresent()) {
        return pullAndRun(client, registry, image.get(), command);
      }
      begin("starting docker-registry");
      try (DockerRegistry server = DockerRegistry.start(folder.resolve("registry"))) {
        end("listens on " + server.address() + ", pid " + server.pid());
        String reference = server.address() + "/demo/busybox:latest";
        makeAndPush(root.in(BUILD), registry, reference);
        return pullAndRun(client, registry, reference, command);
      }
    }
  }

  private void makeAndPush(Containerd client, DistributionRegistry registry, String reference)
      throws IOException, InterruptedException {
    begin("making an image of the static busybox");
    DemoImage image = DemoImage.make(folder.resolve("image"));
    image.store(client, reference);
    end(
        (image.blobs().size() - 2)
            + " layers, "
            + ProgressDisplay.bytes(image.size())
            + ", "
            + image.target().digest());
    try {
      begin("pushing " + reference);
      try (ProgressDisplay display = new ProgressDisplay(out, terminal)) {
        client.push(registry).listener(display).image(reference);
      }
      end("pushed");
    } finally {
      forget(client, reference);
    }
  }

  /**
   * Removes an image and, by a collection, its blobs: what is pulled next must come over the line.
   */
  private static void forget(Containerd client, String reference) {
    client.images().delete(reference, Optional.empty(), true);
  }

  private int pullAndRun(
      Containerd client, DistributionRegistry registry, String reference, List<String> command)
      throws IOException, InterruptedException {
    begin("pulling " + reference);
    PulledImage image;
    try (ProgressDisplay display = new ProgressDisplay(out, terminal)) {
      image = client.pull(registry).listener(display).image(reference);
    }
    end("pulled and unpacked " + image.manifest().layers().size() + " layers");
    try {
      return container(client, image, command);
    } finally {
      forget(client, image.image().name());
    }
  }

  private int container(Containerd client, PulledImage image, List<String> command)
      throws IOException, InterruptedException {
    begin("running it with limits");
    NewContainer container = client.newContainer(name).image(image, command);
    if (client.snapshotter("").capabilities().contains("remap-ids")) {
      List<IdMapping> ids = List.of(new IdMapping(0, 100_000, 65_536));
      container.userNamespace(ids, ids);
    } else {
      out.println("  without a user namespace: overlay file systems cannot remap ids here");
    }
    container
        .spec(
            SpecOptions.hostname("demo"),
            SpecOptions.env("FROM_THE_RUN=yes"),
            SpecOptions.memoryLimit(64 << 20),
            SpecOptions.cpus(0.5),
            SpecOptions.cpuShares(512),
            SpecOptions.pidsLimit(32),
            SpecOptions.dropCapabilities(List.of("NET_RAW", "MKNOD")),
            SpecOptions.addCapabilities(List.of("SYS_NICE")),
            SpecOptions.defaultSeccomp(),
            SpecOptions.cgroupsPath("/" + name))
        .create();
    try {
      return task(client);
    } finally {
      client.deleteContainer(name);
    }
  }

  private int task(Containerd client) throws IOException, InterruptedException {
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    Task task = client.task(name);
    try (ProcessIo io = ProcessIo.collecting(run.resolve("io"), printed)) {
      try {
        int pid = task.create(io).status().pid();
        String host = fromTheHost(pid);
        task.start();
        Exit exit = waitFor(task);
        io.drain(Duration.ofSeconds(60));
        end("exit status " + exit.status());
        out.println();
        out.println("--- what the container saw ---");
        out.println(explained(printed.toString(UTF_8)));
        out.println("--- what the host saw ---");
        out.println(host);
        return exit.status();
      } finally {
        destroy(task);
      }
    }
  }

  /** Waits for the end of the process, but not for ever. */
  private static Exit waitFor(Task task) throws InterruptedException {
    Thread watch =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    Thread.sleep(RUN);
                    task.killAll(9);
                  } catch (InterruptedException | ContainerdException _) {
                    // it ended in time
                  }
                });
    try {
      return task.waitFor();
    } finally {
      watch.interrupt();
    }
  }

  /** Must happen even when this thread was told to stop. */
  private static void destroy(Task task) throws InterruptedException {
    boolean interrupted = Thread.interrupted();
    try {
      task.destroy();
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static String fromTheHost(int pid) throws IOException {
    StringBuilder text = new StringBuilder();
    text.append("process id    ").append(pid).append('\n');
    Path proc = Path.of("/proc", Integer.toString(pid));
    text.append("uid map       ")
        .append(Files.readString(proc.resolve("uid_map")).strip().replaceAll("\\s+", " "))
        .append('\n');
    Cgroup.limits(pid)
        .forEach(
            (what, limit) -> text.append(String.format(Locale.ROOT, "%-13s %s%n", what, limit)));
    return text.toString();
  }

  /** Spells out the masks of capabilities. */
  private static String explained(String report) {
    Matcher line = CAPABILITY_LINE.matcher(report);
    return line.replaceAll(
        m ->
            m.group(1)
                + ": "
                + String.join(" ", Capabilities.ofMask(Long.parseUnsignedLong(m.group(2), 16))));
  }

  private void begin(String what) {
    stepBegan = System.nanoTime();
    out.println("* " + what);
  }

  private void end(String what) {
    out.printf(Locale.ROOT, "  %s (%d ms)%n", what, (System.nanoTime() - stepBegan) / 1_000_000);
  }
}
