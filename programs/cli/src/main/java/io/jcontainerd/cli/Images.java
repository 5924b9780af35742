package io.jcontainerd.cli;

import io.jcontainerd.client.Containerd;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code jctr images}. */
@Command(
    name = "images",
    description = "Moves and looks after images.",
    subcommands = {
      PullImage.class,
      PushImage.class,
      ImportImages.class,
      ExportImages.class,
      TagImage.class,
      ConvertImage.class,
      ListImages.class,
      ImageUsage.class,
      ExplainImage.class
    },
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    footerHeading = "%nExamples:%n",
    footer = {
      "  jctr images pull alpine:3",
      "  jctr images export alpine.tar alpine:3",
      "  jctr images explain alpine:3  where would this be pulled from?"
    })
final class Images implements Runnable {
  @ParentCommand private Jctr jctr = new Jctr();
  @Spec private CommandSpec spec = CommandSpec.create();

  Jctr.Format format() {
    return jctr.format();
  }

  Containerd connect() {
    return jctr.connect();
  }

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "Missing required subcommand");
  }
}
