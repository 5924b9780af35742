package io.jcontainerd.cli;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.core.check.StorageExplainer.Kept;
import io.jcontainerd.core.check.StorageExplainer.Link;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code jctr why-kept}. */
@Command(
    name = "why-kept",
    description = "Tells what keeps a blob or snapshot from being collected, or when it goes.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  jctr why-kept sha256:4bcff6          a blob, by the beginning of its digest",
      "  jctr why-kept 4bcff6                 the same",
      "  jctr why-kept my-container           a snapshot, by its key",
      "  jctr why-kept overlayfs/my-container the same, of one snapshotter"
    })
final class WhyKept implements Callable<Integer> {
  @ParentCommand private Jctr jctr = new Jctr();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(paramLabel = "DIGEST|SNAPSHOT", description = "What to explain.")
  private String name = "";

  @Override
  public Integer call() {
    List<Kept> all;
    try (Containerd daemon = jctr.connect()) {
      all = daemon.storage().whyKept(name);
    }
    PrintWriter out = spec.commandLine().getOut();
    switch (jctr.format()) {
      case json -> out.println(JsonArray.of(all, WhyKept::json));
      case table -> all.forEach(kept -> print(out, kept));
    }
    return CommandLine.ExitCode.OK;
  }

  private static void print(PrintWriter out, Kept kept) {
    out.printf("%s %s in namespace %s%n", kept.kind(), kept.name(), kept.namespace());
    if (kept.chain().isEmpty()) {
      out.println("  " + kept.end());
      return;
    }
    Table table = new Table("  KEPT BY", "NAME", "BECAUSE");
    String indent = "  ";
    for (Link link : kept.chain()) {
      table.add(indent + link.kind(), link.name(), link.because());
      indent += " ";
    }
    table.print(out);
    kept.until().ifPresent(time -> out.println("  until " + time + ", unless renewed"));
  }

  private static JsonObject json(Kept kept) {
    JsonObject one =
        JsonObject.EMPTY
            .with("namespace", kept.namespace())
            .with("kind", kept.kind())
            .with("name", kept.name())
            .with(
                "chain",
                JsonArray.of(
                    kept.chain(),
                    link ->
                        JsonObject.EMPTY
                            .with("kind", link.kind())
                            .with("name", link.name())
                            .with("because", link.because())))
            .with("end", kept.end());
    return kept.until().isPresent() ? one.with("until", kept.until().get().toString()) : one;
  }
}
