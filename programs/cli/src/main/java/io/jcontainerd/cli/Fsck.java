package io.jcontainerd.cli;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.core.check.Finding;
import io.jcontainerd.core.check.StorageCare;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code jctr fsck}. */
@Command(
    name = "fsck",
    description = {
      "Compares blobs with their digests, layers with what was recorded when they were unpacked,"
          + " and records with what they refer to. Containers go on running.",
      "Without --deep, only what can be seen without reading files is compared."
    },
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  jctr fsck                  a quick look",
      "  jctr fsck --deep           read every byte",
      "  jctr fsck --deep --repair  heal what is damaged: layers from their blobs, blobs from",
      "                             the registry they came from",
      "  jctr fsck --format json | jq '.findings[] | select(.outcome != \"healed\")'",
      "",
      "Status: 0 all is well or was healed, 1 damage is left, 2 misused, 3 failed."
    })
final class Fsck implements Callable<Integer> {
  @ParentCommand private Jctr jctr = new Jctr();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(names = "--deep", description = "Read every byte of blobs and layers.")
  private boolean deep;

  @Option(names = "--repair", description = "Heal what is damaged.")
  private boolean repair;

  @Override
  public Integer call() throws InterruptedException {
    List<Finding> findings = new ArrayList<>();
    StorageCare.Summary summary;
    try (Containerd daemon = jctr.connect()) {
      summary = daemon.storage().check(new StorageCare.Request(deep, repair), findings::add);
    }
    PrintWriter out = spec.commandLine().getOut();
    switch (jctr.format()) {
      case json -> out.println(json(findings, summary));
      case table -> print(out, findings, summary);
    }
    return summary.healed() == summary.found() ? CommandLine.ExitCode.OK : Jctr.FOUND;
  }

  private static String word(Enum<?> name) {
    return name.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  private static void print(PrintWriter out, List<Finding> findings, StorageCare.Summary summary) {
    if (!findings.isEmpty()) {
      Table table = new Table("OUTCOME", "WHAT", "NAME", "PATH", "DAMAGE", "DETAIL");
      for (Finding finding : findings) {
        table.add(
            word(finding.outcome()),
            word(finding.subject()),
            finding.name(),
            finding.path().isEmpty() ? "-" : finding.path(),
            finding.damage().words(),
            finding.detail().isEmpty() ? "-" : finding.detail());
      }
      table.print(out);
      out.println();
    }
    out.printf(
        "%d blobs, %d layers with %d names looked at, %s read in %d.%03d s: %s%n",
        summary.blobs(),
        summary.layers(),
        summary.files(),
        Bytes.text(summary.bytes()),
        summary.took().toSeconds(),
        summary.took().toMillisPart(),
        verdict(summary));
    if (summary.unrecorded() > 0) {
      out.printf(
          "%d layers cannot be compared yet: they were made elsewhere or by containers, and the"
              + " scrub will record them%n",
          summary.unrecorded());
    }
    Set<String> next = new LinkedHashSet<>();
    findings.stream()
        .filter(finding -> !finding.advice().isEmpty())
        .forEach(finding -> next.add(finding.name() + ": " + finding.advice()));
    next.forEach(line -> out.println("next: " + line));
  }

  private static String verdict(StorageCare.Summary summary) {
    if (summary.found() == 0) {
      return "all is well";
    }
    return summary.found() + " damaged, " + summary.healed() + " of them healed";
  }

  private static String json(List<Finding> findings, StorageCare.Summary summary) {
    JsonArray all =
        JsonArray.of(
            findings,
            finding ->
                JsonObject.EMPTY
                    .with("subject", word(finding.subject()))
                    .with("name", finding.name())
                    .with("namespaces", JsonArray.ofStrings(finding.namespaces()))
                    .with("path", finding.path())
                    .with("damage", word(finding.damage()))
                    .with("detail", finding.detail())
                    .with("outcome", word(finding.outcome()))
                    .with("advice", finding.advice()));
    JsonObject counts =
        JsonObject.EMPTY
            .with("blobs", summary.blobs())
            .with("layers", summary.layers())
            .with("files", summary.files())
            .with("bytesRead", summary.bytes())
            .with("unrecorded", summary.unrecorded())
            .with("found", summary.found())
            .with("healed", summary.healed())
            .with("tookMillis", summary.took().toMillis());
    return JsonObject.EMPTY.with("findings", all).with("summary", counts).toString();
  }
}
