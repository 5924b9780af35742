package io.jcontainerd.cli;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.core.operation.Operation;
import io.jcontainerd.oci.json.JsonArray;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code jctr ops}. */
@Command(
    name = "ops",
    description = {
      "Tells what the daemon is doing: each operation's stage, for how long it has been in it, and"
          + " what it waits for.",
      "With --stacks also the processes that work for it, and where the kernel has them."
    },
    subcommands = {Ops.Follow.class, Ops.Cancel.class, Ops.Join.class},
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  jctr ops                     what goes on now?",
      "  jctr ops kind==create        only what is being created",
      "  jctr ops --stacks            and where is it stuck?",
      "  jctr ops watch               what begins, moves on and ends",
      "  jctr ops cancel k7dw-12      end it, down to the OCI runtime",
      "  jctr ops join k7dw-12        wait for its end",
      "  jctr ops --format json | jq '.[] | select(.stageAgeMillis > 10000)'"
    })
final class Ops implements Callable<Integer> {
  @ParentCommand private Jctr jctr = new Jctr();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(names = "--stacks", description = "Show helper processes and their kernel stacks.")
  private boolean stacks;

  @Parameters(
      arity = "0..*",
      paramLabel = "FILTER",
      description = "Such as kind==pull, namespace==\"k8s.io\" or key~=|^web|; one must match.")
  private List<String> filters = List.of();

  @Override
  public Integer call() {
    List<Operation> operations;
    try (Containerd daemon = jctr.connect()) {
      operations = daemon.operations().list(filters, true);
    }
    PrintWriter out = spec.commandLine().getOut();
    Instant now = Instant.now();
    switch (jctr.format()) {
      case json -> out.println(JsonArray.of(operations, o -> OperationText.json(o, now)));
      case table -> print(out, operations, now);
    }
    return CommandLine.ExitCode.OK;
  }

  private void print(PrintWriter out, List<Operation> operations, Instant now) {
    Table table =
        new Table("ID", "KIND", "NAMESPACE", "KEY", "STAGE", ">AGE", "WAITS FOR", "OWNER");
    for (Operation operation : operations) {
      table.add(
          operation.id(),
          operation.kind(),
          OperationText.orDash(operation.namespace()),
          OperationText.orDash(operation.key()),
          Printable.text(operation.stage()),
          OperationText.age(operation.stageSince(), now),
          OperationText.orDash(operation.waitsFor()),
          OperationText.orDash(operation.owner()));
    }
    table.print(out);
    if (stacks) {
      operations.forEach(operation -> OperationText.printHelpers(out, operation));
    }
  }

  /** {@code jctr ops watch}. */
  @Command(
      name = "watch",
      description = "Shows operations that go on, and then each that begins, moves on or ends.",
      mixinStandardHelpOptions = true,
      footerHeading = "%nExamples:%n",
      footer = {"  jctr ops watch", "  jctr ops watch kind==pull --format json"})
  static final class Follow implements Callable<Integer> {
    @ParentCommand private Ops ops = new Ops();
    @Spec private CommandSpec spec = CommandSpec.create();

    @Parameters(arity = "0..*", paramLabel = "FILTER", description = "As of jctr ops.")
    private List<String> filters = List.of();

    @Override
    public Integer call() throws InterruptedException {
      try (Containerd daemon = ops.jctr.connect()) {
        OperationText.follow(
            daemon.operations(), filters, spec.commandLine().getOut(), ops.jctr.format());
      }
      return CommandLine.ExitCode.OK;
    }
  }

  /** {@code jctr ops cancel}. */
  @Command(
      name = "cancel",
      description = {
        "Asks operations to end. What they have made is removed, commands of the OCI runtime are"
            + " killed; who waits for them is told that they were cancelled."
      },
      mixinStandardHelpOptions = true,
      footerHeading = "%nExamples:%n",
      footer = {"  jctr ops cancel k7dw-12"})
  static final class Cancel implements Callable<Integer> {
    @ParentCommand private Ops ops = new Ops();

    @Parameters(arity = "1..*", paramLabel = "ID", description = "As jctr ops shows it.")
    private List<String> ids = List.of();

    @Override
    public Integer call() {
      try (Containerd daemon = ops.jctr.connect()) {
        ids.forEach(daemon.operations()::cancel);
      }
      return CommandLine.ExitCode.OK;
    }
  }

  /** {@code jctr ops join}. */
  @Command(
      name = "join",
      description = "Waits for the end of an operation and tells how it ended.",
      mixinStandardHelpOptions = true,
      footerHeading = "%nExamples:%n",
      footer = {"  jctr ops join k7dw-12", "", "Status: 0 it succeeded, 1 it failed."})
  static final class Join implements Callable<Integer> {
    private static final java.time.Duration STEP = java.time.Duration.ofMinutes(1);

    @ParentCommand private Ops ops = new Ops();
    @Spec private CommandSpec spec = CommandSpec.create();

    @Parameters(paramLabel = "ID", description = "As jctr ops shows it.")
    private String id = "";

    @Override
    public Integer call() throws InterruptedException {
      Operation ended;
      try (Containerd daemon = ops.jctr.connect()) {
        do {
          ended = daemon.operations().join(id, STEP);
        } while (ended.outcome().isEmpty());
      }
      PrintWriter out = spec.commandLine().getOut();
      switch (ops.jctr.format()) {
        case json -> out.println(OperationText.json(ended, Instant.now()));
        case table -> out.println(Printable.text(ended.outcome().orElse("")));
      }
      return ended.outcome().filter(Operation.DONE::equals).isPresent()
          ? CommandLine.ExitCode.OK
          : Jctr.FOUND;
    }
  }
}
