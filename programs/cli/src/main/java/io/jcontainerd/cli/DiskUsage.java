package io.jcontainerd.cli;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.core.check.StorageExplainer;
import io.jcontainerd.core.check.StorageExplainer.Usage;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import java.io.PrintWriter;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code jctr du}. */
@Command(
    name = "du",
    description = {
      "Tells what images and containers take.",
      "UNIQUE is what would be free without it; SHARED is used by others, too."
    },
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  jctr du                  largest first",
      "  jctr du --format json | jq '.usage[] | select(.kind == \"image\").uniqueBytes'"
    })
final class DiskUsage implements Callable<Integer> {
  @ParentCommand private Jctr jctr = new Jctr();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    StorageExplainer.DiskUsage usage;
    try (Containerd daemon = jctr.connect()) {
      usage = daemon.storage().diskUsage();
    }
    List<Usage> each =
        usage.each().stream()
            .sorted(Comparator.comparingLong(Usage::uniqueBytes).reversed())
            .toList();
    PrintWriter out = spec.commandLine().getOut();
    switch (jctr.format()) {
      case json -> out.println(json(usage, each));
      case table -> print(out, usage, each);
    }
    return CommandLine.ExitCode.OK;
  }

  private static void print(PrintWriter out, StorageExplainer.DiskUsage usage, List<Usage> each) {
    Table table =
        new Table("NAMESPACE", "KIND", "NAME", ">UNIQUE", ">SHARED", ">CONTENT", ">SNAPSHOTS");
    for (Usage one : each) {
      table.add(
          one.namespace(),
          one.kind(),
          one.name(),
          Bytes.text(one.uniqueBytes()),
          Bytes.text(one.sharedBytes()),
          Bytes.text(one.contentBytes()),
          Bytes.text(one.snapshotBytes()));
    }
    table.print(out);
    out.printf(
        "%nall content %s, all snapshots %s; %s is used by no image and no container%n",
        Bytes.text(usage.contentBytes()),
        Bytes.text(usage.snapshotBytes()),
        Bytes.text(usage.unusedBytes()));
  }

  private static JsonObject json(StorageExplainer.DiskUsage usage, List<Usage> each) {
    return JsonObject.EMPTY
        .with(
            "usage",
            JsonArray.of(
                each,
                one ->
                    JsonObject.EMPTY
                        .with("namespace", one.namespace())
                        .with("kind", one.kind())
                        .with("name", one.name())
                        .with("contentBytes", one.contentBytes())
                        .with("snapshotBytes", one.snapshotBytes())
                        .with("uniqueBytes", one.uniqueBytes())
                        .with("sharedBytes", one.sharedBytes())))
        .with("contentBytes", usage.contentBytes())
        .with("snapshotBytes", usage.snapshotBytes())
        .with("unusedBytes", usage.unusedBytes());
  }
}
