package io.jcontainerd.cli;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.client.RemoteTransfers;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.transfer.TransferListener;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** A command that has the daemon move images, and shows how that goes. */
abstract class MovesImages implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private ImageOptions options = new ImageOptions();

  @Option(
      names = {"-q", "--quiet"},
      description = "Do not show how it goes.")
  private boolean quiet;

  /** Moves, and returns the images that were named, if any. */
  abstract List<Image> move(RemoteTransfers transfers, TransferListener listener)
      throws IOException;

  ImageOptions options() {
    return options;
  }

  private Jctr jctr() {
    return (Jctr) spec.root().userObject();
  }

  @Override
  public Integer call() throws IOException {
    PrintWriter err = spec.commandLine().getErr();
    List<Image> images;
    try (Containerd client = jctr().connect()) {
      RemoteTransfers transfers = client.in(options.namespace()).transfers();
      if (quiet) {
        images = move(transfers, TransferListener.NONE);
      } else {
        try (var view = new TransferView(err, TransferView.isTerminal())) {
          images = move(transfers, view);
        }
      }
    }
    print(spec.commandLine().getOut(), images);
    return CommandLine.ExitCode.OK;
  }

  private void print(PrintWriter out, List<Image> images) {
    switch (jctr().format()) {
      case json -> out.println(JsonArray.of(images, MovesImages::json));
      case table ->
          images.forEach(
              image -> out.println(Printable.text(image.name()) + " " + image.target().digest()));
    }
    out.flush();
  }

  private static JsonObject json(Image image) {
    return JsonObject.EMPTY
        .with("name", image.name())
        .with("digest", image.target().digest().toString())
        .with("mediaType", image.target().mediaType());
  }
}
