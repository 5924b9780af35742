package io.jcontainerd.cli;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.core.check.StorageCare;
import io.jcontainerd.oci.json.JsonObject;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code jctr scrub}. */
@Command(
    name = "scrub",
    description = "Tells how far the check is that goes on by itself while the machine is idle.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {"  jctr scrub", "  jctr scrub --format json | jq .quarantined"})
final class Scrub implements Callable<Integer> {
  @ParentCommand private Jctr jctr = new Jctr();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    StorageCare.Scrub scrub;
    try (Containerd daemon = jctr.connect()) {
      scrub = daemon.storage().scrub();
    }
    PrintWriter out = spec.commandLine().getOut();
    switch (jctr.format()) {
      case json -> out.println(json(scrub));
      case table -> print(out, scrub);
    }
    return scrub.quarantined() == 0 ? CommandLine.ExitCode.OK : Jctr.FOUND;
  }

  private static String text(Optional<Instant> time) {
    return time.map(Instant::toString).orElse("never");
  }

  private static void print(PrintWriter out, StorageCare.Scrub scrub) {
    Table table = new Table("SCRUB", ">LOOKED AT", ">WAITING", ">READ", "BEGAN", "LAST COMPLETE");
    table.add(
        scrub.running() ? "on" : "off",
        Long.toString(scrub.looked()),
        Long.toString(scrub.waiting()),
        Bytes.text(scrub.bytes()),
        text(scrub.roundBegan()),
        text(scrub.lastRound()));
    table.print(out);
    if (scrub.quarantined() > 0) {
      out.println();
      out.println(
          scrub.quarantined() + " layers are damaged and not used; next: jctr fsck --repair");
    }
  }

  private static JsonObject json(StorageCare.Scrub scrub) {
    return JsonObject.EMPTY
        .with("running", scrub.running())
        .with("looked", scrub.looked())
        .with("waiting", scrub.waiting())
        .with("bytesRead", scrub.bytes())
        .with("roundBegan", text(scrub.roundBegan()))
        .with("lastRound", text(scrub.lastRound()))
        .with("quarantined", scrub.quarantined());
  }
}
