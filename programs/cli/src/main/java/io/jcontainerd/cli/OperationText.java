package io.jcontainerd.cli;

import io.jcontainerd.core.operation.Operation;
import io.jcontainerd.core.operation.Operations;
import io.jcontainerd.core.words.Durations;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Operations as words and as JSON. */
final class OperationText {
  private static final Duration STEP = Duration.ofMinutes(1);

  private OperationText() {}

  static String orDash(String text) {
    return text.isEmpty() ? "-" : Printable.text(text);
  }

  /** In tenths of seconds, later in whole ones. */
  static String age(Instant since, Instant now) {
    Duration age = Duration.between(since, now);
    if (age.isNegative()) {
      return "0s";
    }
    return age.toMinutes() > 0
        ? Durations.format(age.truncatedTo(ChronoUnit.SECONDS))
        : age.toSeconds() + "." + age.toMillisPart() / 100 + "s";
  }

  static JsonObject json(Operation operation, Instant now) {
    return JsonObject.EMPTY
        .with("id", operation.id())
        .with("kind", operation.kind())
        .with("namespace", operation.namespace())
        .with("key", operation.key())
        .with("stage", operation.stage())
        .with("waitsFor", operation.waitsFor())
        .with("since", operation.since().toString())
        .with("ageMillis", Duration.between(operation.since(), now).toMillis())
        .with("stageSince", operation.stageSince().toString())
        .with("stageAgeMillis", Duration.between(operation.stageSince(), now).toMillis())
        .with("owner", operation.owner())
        .with("joined", operation.joined())
        .with("cancellable", operation.cancellable())
        .with("helpers", JsonArray.of(operation.helpers(), OperationText::json))
        .with("outcome", operation.outcome().orElse(""));
  }

  private static JsonObject json(Operation.Helper helper) {
    return JsonObject.EMPTY
        .with("pid", helper.pid())
        .with("command", helper.command())
        .with("state", helper.state())
        .with("waitChannel", helper.waitChannel())
        .with("stack", JsonArray.ofStrings(helper.stack()));
  }

  static void printHelpers(PrintWriter out, Operation operation) {
    for (Operation.Helper helper : operation.helpers()) {
      out.println();
      out.printf(
          "%s: process %s, state %s%s: %s%n",
          operation.id(),
          Integer.toString(helper.pid()),
          helper.state(),
          helper.waitChannel().isEmpty() ? "" : " in " + helper.waitChannel(),
          Printable.text(helper.command()));
      helper.stack().forEach(frame -> out.println("  " + Printable.text(frame)));
    }
  }

  /** Prints every change until the daemon ends the watch or the program is ended. */
  static void follow(
      Operations operations, List<String> filters, PrintWriter out, Jctr.Format format)
      throws InterruptedException {
    try (Operations.Watch watch = operations.watch(filters)) {
      while (true) {
        Optional<Operations.Changed> next = watch.next(STEP);
        if (next.isPresent()) {
          out.println(line(next.get(), format));
          out.flush();
        }
      }
    }
  }

  private static String line(Operations.Changed changed, Jctr.Format format) {
    Operation operation = changed.operation();
    String change = changed.change().name().toLowerCase(Locale.ROOT);
    return switch (format) {
      case json -> json(operation, Instant.now()).with("change", change).toString();
      case table ->
          "%s  %-5s  %s  %s  %s %s  %s"
              .formatted(
                  operation.stageSince(),
                  change,
                  operation.id(),
                  operation.kind(),
                  orDash(operation.namespace()),
                  orDash(operation.key()),
                  operation.outcome().map(Printable::text).orElseGet(() -> stage(operation)))
              .stripTrailing();
    };
  }

  private static String stage(Operation operation) {
    return Printable.text(
        operation.waitsFor().isEmpty()
            ? operation.stage()
            : operation.stage() + ", waits for " + operation.waitsFor());
  }
}
