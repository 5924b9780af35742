package io.jcontainerd.cli;

import io.jcontainerd.client.RemoteTransfers;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.transfer.ExportRequest;
import io.jcontainerd.core.transfer.ImageSelection;
import io.jcontainerd.core.transfer.ImageSelection.ExtraReference;
import io.jcontainerd.core.transfer.TransferListener;
import io.jcontainerd.oci.reference.Reference;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jctr images export}. */
@Command(
    name = "export",
    description = "Writes images into an archive that docker load reads, too.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  jctr images export app.tar app:1 base:2",
      "  jctr images export - app:1 | docker load",
      "  jctr images export --platform linux/arm64 arm.tar app:1"
    })
final class ExportImages extends MovesImages {
  @Option(names = "--skip-manifest-json", description = "Leave out what only docker load needs.")
  private boolean skipManifest;

  @Option(
      names = "--skip-non-distributable",
      description = "Leave out layers that may not be passed on.")
  private boolean skipForeign;

  @Parameters(index = "0", paramLabel = "FILE", description = "Where to; - for standard output.")
  private String file = "";

  @Parameters(index = "1..*", arity = "1..*", paramLabel = "IMAGE", description = "Which images.")
  private List<String> images = List.of();

  @Override
  List<Image> move(RemoteTransfers transfers, TransferListener listener) throws IOException {
    List<ExtraReference> names =
        images.stream()
            .map(name -> Reference.parse(name).withDefaultTag().toString())
            .map(name -> new ExtraReference(name, false, false, false, false))
            .toList();
    var request =
        new ExportRequest(
            new ImageSelection("", Map.of(), List.of(), false, 0, names, List.of()),
            "",
            options().platforms(),
            options().allPlatforms(),
            skipManifest,
            skipForeign);
    if (file.equals("-")) {
      transfers.exportArchive(System.out, request, listener);
    } else {
      new WholeFile(Path.of(file))
          .write(archive -> transfers.exportArchive(archive, request, listener));
    }
    return List.of();
  }
}
