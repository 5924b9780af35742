package io.jcontainerd.cli;

import io.jcontainerd.client.RemoteTransfers;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.transfer.ImageSelection;
import io.jcontainerd.core.transfer.ImageSelection.ExtraReference;
import io.jcontainerd.core.transfer.ImportRequest;
import io.jcontainerd.core.transfer.TransferListener;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jctr images import}. */
@Command(
    name = "import",
    description = {
      "Reads images from an archive: an image layout in a tar file, or what docker save makes,",
      "packed with gzip, zstd or not at all."
    },
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  jctr images import app.tar",
      "  docker save app | jctr images import -",
      "  jctr images import --base-name registry.example/app layout.tar"
    })
final class ImportImages extends MovesImages {
  @Option(
      names = "--base-name",
      paramLabel = "NAME",
      description = "Only images whose names begin so; mere tags are put behind it.")
  private String baseName = "";

  @Option(names = "--digests", description = "Name images by their digests, too.")
  private boolean digests;

  @Option(
      names = "--index-name",
      paramLabel = "NAME",
      description = "A name for the archive as a whole.")
  private String indexName = "";

  @Option(names = "--snapshotter", paramLabel = "NAME", description = "Where they are unpacked.")
  private String snapshotter = "";

  @Option(names = "--no-unpack", description = "Only store their content.")
  private boolean onlyContent;

  @Option(names = "--compress-blobs", description = "Pack layers that docker save left plain.")
  private boolean compress;

  @Option(
      names = "--label",
      paramLabel = "KEY=VALUE",
      description = "A label for the images, several times for several.")
  private Map<String, String> labels = new LinkedHashMap<>();

  @Parameters(paramLabel = "FILE", description = "The archive; - for standard input.")
  private String file = "";

  @Override
  List<Image> move(RemoteTransfers transfers, TransferListener listener) throws IOException {
    boolean any = baseName.isEmpty();
    String prefix = any ? "import-" + LocalDate.now(ZoneId.systemDefault()) : baseName;
    var request =
        new ImportRequest(
            "",
            compress,
            new ImageSelection(
                indexName,
                labels,
                options().platforms(),
                false,
                0,
                List.of(new ExtraReference(prefix, true, any, digests, false)),
                options().unpacks(!onlyContent, snapshotter)));
    if (file.equals("-")) {
      return transfers.importArchive(System.in, request, listener);
    }
    try (InputStream archive = Files.newInputStream(Path.of(file))) {
      return transfers.importArchive(archive, request, listener);
    }
  }
}
