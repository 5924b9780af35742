package io.jcontainerd.e2e;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** The distribution's {@code ctr}, unmodified, in one namespace of one daemon. */
record Ctr(Path socket, String namespace) {
  /** The binary; another one can be named by {@code JCONTAINERD_E2E_CTR}. */
  static String binary() {
    String named = System.getenv("JCONTAINERD_E2E_CTR");
    return named == null ? "ctr" : named;
  }

  /** Whether it is of release 2.0 or later. */
  static boolean isSecond() {
    return Command.run(binary(), "--version").ok().out().contains("containerd/v2");
  }

  List<String> line(String... arguments) {
    return Command.line(List.of(binary(), "-a", socket.toString(), "-n", namespace), arguments);
  }

  Command run(String... arguments) {
    return Command.run(line(arguments));
  }

  Command run(List<String> arguments) {
    return run(arguments.toArray(String[]::new));
  }

  Command input(String input, String... arguments) {
    return Command.run(line(arguments), input, Command.LIMIT);
  }

  Command run(Duration limit, String... arguments) {
    return Command.run(line(arguments), "", limit);
  }

  /** Runs and wants success. */
  Command ok(String... arguments) {
    return run(arguments).ok();
  }

  /** The same in a namespace of its own, whose name begins with this one's. */
  Ctr beside(String suffix) {
    return in(namespace + "-" + suffix);
  }

  Ctr in(String other) {
    return new Ctr(socket, other);
  }
}
