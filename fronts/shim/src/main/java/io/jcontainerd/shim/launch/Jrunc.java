package io.jcontainerd.shim.launch;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.ports.Processes;
import io.jcontainerd.linux.process.LinuxProcesses;
import io.jcontainerd.ttrpc.CallOptions;
import io.jcontainerd.ttrpc.TtrpcClient;
import io.jcontainerd.ttrpc.TtrpcException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The main class of {@code containerd-shim-jrunc-v2}. */
public final class Jrunc {
  private static final String NAME = "io.containerd.jrunc.v2";
  private static final int MOST_INPUT = 10 << 20;
  private static final int MOST_OUTPUT = 10 << 20;
  private static final Duration HOST_STARTS = Duration.ofSeconds(30);
  private static final Duration HOST_ANSWERS = Duration.ofSeconds(10);
  private static final Duration FEATURES = Duration.ofSeconds(5);
  private static final String OPTIONS = "containerd.runc.v1.Options";
  private static final int BINARY_NAME = 6;

  private final ShimArguments arguments;
  private final Map<String, String> environment;
  private final String version;

  private Jrunc(ShimArguments arguments, Map<String, String> environment, String version) {
    this.arguments = arguments;
    this.environment = environment;
    this.version = version;
  }

  /** Does what the command line says. */
  public static void main(String[] line) {
    try {
      ShimArguments arguments = ShimArguments.parse(List.of(line));
      String version = System.getProperty("jcontainerd.version", "unknown");
      byte[] answer = new Jrunc(arguments, System.getenv(), version).run();
      System.out.write(answer, 0, answer.length);
      System.out.flush();
      return; // an exit would wait 300 ms for threads that read from sockets
    } catch (LaunchException | ContainerdException e) {
      System.err.println(NAME + ": " + e.getMessage());
    } catch (IOException e) {
      System.err.println(NAME + ": " + e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      System.err.println(NAME + ": interrupted");
    }
    System.exit(1);
  }

  private byte[] run() throws IOException, InterruptedException {
    if (arguments.version()) {
      return "containerd-shim-jrunc-v2:\n  Version:  %s\n".formatted(version).getBytes(UTF_8);
    }
    if (arguments.info()) {
      return info();
    }
    if (arguments.namespace().isEmpty()) {
      throw new LaunchException("shim namespace cannot be empty");
    }
    if (arguments.id().isEmpty()) {
      throw new LaunchException("id of the task cannot be empty");
    }
    return switch (arguments.action()) {
      case "start" -> start();
      case "delete" -> delete();
      default ->
          throw new LaunchException(
              "the action must be start or delete, not \"" + arguments.action() + "\"");
    };
  }

  private HostStarter hosts(Settings settings) {
    Path program = Path.of(System.getProperty("jcontainerd.bin", ""), "jcontainerd-shim-host");
    return new HostStarter(program, environment, settings);
  }

  private byte[] start() throws IOException, InterruptedException {
    StartRequest request =
        StartRequest.of(arguments, environment, System.in.readNBytes(MOST_INPUT));
    if (request.grpcAddress().isEmpty()) {
      throw new LaunchException("the daemon's address cannot be empty");
    }
    Path bundle = Path.of("").toAbsolutePath();
    Settings settings = Settings.of(environment);
    HostPlace place = HostPlace.of(request, settings.group(), version, bundle);
    HostStarter.Found found =
        hosts(settings)
            .findOrStart(
                place, request.ttrpcAddress(), request.debug(), HOST_STARTS, HostStarter.Late.END);
    if (found.isNew()) {
      settle(found.host(), settings, request);
    }
    String address = serve(found.host(), request.namespace(), place);
    Files.writeString(bundle.resolve("shim-state"), place.state() + "\n");
    Files.writeString(bundle.resolve("address"), address);
    return request.answer(address);
  }

  /** The address of the namespace. */
  private static String serve(ServingMark.Host host, String namespace, HostPlace place)
      throws IOException, InterruptedException {
    var request = new NamespaceRequest(namespace, place.socket(namespace).toString());
    try (TtrpcClient client = TtrpcClient.connect(HostPlace.path(host.address()), HOST_ANSWERS)) {
      byte[] address =
          client.call(
              NamespaceRequest.SERVICE,
              NamespaceRequest.METHOD,
              request.encode(),
              CallOptions.within(HOST_ANSWERS));
      return new String(address, UTF_8);
    } catch (TtrpcException e) {
      throw new LaunchException("shim host: " + e.getMessage(), e);
    }
  }

  /** A host that others share does not go where one container wants it. */
  private static void settle(ServingMark.Host host, Settings settings, StartRequest request)
      throws IOException {
    var process = new HostProcess(host.process().pid());
    Optional<ProcessHandle> daemon = ProcessHandle.current().parent();
    if (daemon.isPresent()) {
      process.scoreAfter(daemon.get().pid());
    }
    if (!request.shimCgroup().isEmpty() && !settings.group().outlivesContainers()) {
      process.moveTo(request.shimCgroup());
    }
  }

  private byte[] delete() throws IOException, InterruptedException {
    String address = environment.getOrDefault("TTRPC_ADDRESS", arguments.address() + ".ttrpc");
    return new CleanUp(
            Path.of(arguments.bundle()).toAbsolutePath(),
            arguments.namespace(),
            arguments.id(),
            hosts(Settings.of(environment)),
            address,
            environment)
        .run();
  }

  private byte[] info() throws IOException, InterruptedException {
    byte[] input = System.in.readNBytes(MOST_INPUT);
    Optional<LaunchMessages.Any> options =
        input.length == 0 ? Optional.empty() : Optional.of(LaunchMessages.Any.parse(input));
    String binary =
        options.isPresent() && options.get().type().equals(OPTIONS)
            ? LaunchMessages.text(options.get().value(), BINARY_NAME)
            : "";
    return LaunchMessages.info(
        NAME, version, options, features(binary.isEmpty() ? "runc" : binary));
  }

  /** What the OCI runtime announces, if it can. */
  private Optional<byte[]> features(String binary) throws IOException, InterruptedException {
    try (LinuxProcesses processes = LinuxProcesses.open()) {
      Processes.Finished end =
          processes.run(
              new Processes.Spawn(
                  List.of(binary, "features"), environment, Path.of("/"), new byte[0], true),
              FEATURES,
              MOST_OUTPUT);
      return end.status() == 0 ? Optional.of(end.output()) : Optional.empty();
    }
  }
}
