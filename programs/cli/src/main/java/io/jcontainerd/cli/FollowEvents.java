package io.jcontainerd.cli;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.client.RemoteEventRecord;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.events.EventRecord;
import io.jcontainerd.core.events.EventRecord.From;
import io.jcontainerd.core.events.EventRecord.Told;
import io.jcontainerd.oci.json.JsonObject;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code jctr events}. */
@Command(
    name = "events",
    description = {
      "Shows events with their numbers: those that are recorded after a number, then those to"
          + " come. What is no longer recorded is told as a gap."
    },
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  jctr events                          from now on",
      "  jctr events --from oldest            all that are recorded, and those to come",
      "  jctr events --from 1200              those after number 1200",
      "  jctr events --from 1200 --until-now  and no longer than to the present",
      "  jctr events -n k8s.io 'topic~=|^/tasks/|'",
      "  jctr events --from oldest --until-now --format json | jq -r .topic | sort | uniq -c"
    })
final class FollowEvents implements Callable<Integer> {
  private static final Duration STEP = Duration.ofSeconds(5);

  @ParentCommand private Jctr jctr = new Jctr();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--from",
      paramLabel = "NUMBER|oldest|now",
      description = "Begin after this number. Default: ${DEFAULT-VALUE}",
      defaultValue = "now")
  private String from = "now";

  @Option(names = "--until-now", description = "End with the newest event that is recorded.")
  private boolean untilNow;

  @Option(
      names = {"-n", "--namespace"},
      paramLabel = "NAME",
      description = "Only events of these. Default: all")
  private List<String> namespaces = List.of();

  @Parameters(
      arity = "0..*",
      paramLabel = "FILTER",
      description = "Such as topic==\"/tasks/exit\" or event.container_id==web; one must match.")
  private List<String> filters = List.of();

  @Override
  public Integer call() throws InterruptedException {
    From begin = begin();
    try (Containerd daemon = jctr.connect()) {
      RemoteEventRecord record = daemon.eventRecord();
      long last = untilNow ? newest(record) : Long.MAX_VALUE;
      try (EventRecord.Following following = record.follow(begin, filters, namespaces)) {
        show(following, last);
      }
    }
    return CommandLine.ExitCode.OK;
  }

  private From begin() {
    return switch (from) {
      case "now" -> new From.Now();
      case "oldest" -> new From.Oldest();
      default -> {
        try {
          yield new From.After(Long.parseUnsignedLong(from));
        } catch (NumberFormatException e) {
          throw new CommandLine.ParameterException(
              spec.commandLine(),
              "--from " + from + " is neither a number, nor oldest, nor now",
              e);
        }
      }
    };
  }

  private static long newest(RemoteEventRecord record) throws InterruptedException {
    try (EventRecord.Following now = record.follow(new From.Now(), List.of(), List.of())) {
      while (true) {
        if (now.next(STEP).orElse(null) instanceof Told.Begun(long after)) {
          return after;
        }
      }
    }
  }

  private void show(EventRecord.Following following, long last) throws InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    long at = 0;
    while (at < last) {
      Optional<Told> next = following.next(STEP);
      if (next.isEmpty()) {
        continue;
      }
      at =
          switch (next.get()) {
            case Told.Begun(long after) -> after;
            case Told.Position(long after) -> after;
            case Told.Gap(long first, long end) -> {
              print(out, gap(first, end));
              yield end;
            }
            case Told.Happened(Event.Numbered event) -> {
              if (event.number() <= last) {
                print(out, line(event));
              }
              yield event.number();
            }
          };
    }
  }

  private static void print(PrintWriter out, String line) {
    out.println(line);
    out.flush();
  }

  private String gap(long first, long last) {
    return switch (jctr.format()) {
      case json ->
          JsonObject.EMPTY
              .with("gap", JsonObject.EMPTY.with("first", first).with("last", last))
              .toString();
      case table -> "gap: events " + first + " to " + last + " are no longer recorded";
    };
  }

  private String line(Event.Numbered numbered) {
    Event event = numbered.event();
    return switch (jctr.format()) {
      case json ->
          JsonObject.EMPTY
              .with("number", numbered.number())
              .with("timestamp", event.timestamp().toString())
              .with("namespace", event.namespace())
              .with("topic", event.topic())
              .with("type", event.payload().typeName())
              .with("words", RemoteEventRecord.words(event))
              .with("payload", Base64.getEncoder().encodeToString(event.payload().value()))
              .toString();
      case table ->
          "%d  %s  %s  %s  %s"
              .formatted(
                  numbered.number(),
                  event.timestamp(),
                  Printable.text(event.namespace()),
                  Printable.text(event.topic()),
                  Printable.text(RemoteEventRecord.words(event)));
    };
  }
}
