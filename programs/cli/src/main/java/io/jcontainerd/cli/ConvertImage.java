package io.jcontainerd.cli;

import io.jcontainerd.client.RemoteTransfers;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.transfer.ConversionRequest;
import io.jcontainerd.core.transfer.TransferListener;
import io.jcontainerd.oci.reference.Reference;
import java.util.List;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jctr images convert}. */
@Command(
    name = "convert",
    description = {
      "Makes another form of an image. Of an index, the parts for the platforms stay.",
      "zstd and erofs make OCI images, for Docker has no words for such layers."
    },
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  jctr images convert --uncompress --oci app:1 app:plain",
      "  jctr images convert --zstd --all-platforms app:1 app:zstd"
    })
final class ConvertImage extends MovesImages {
  @ArgGroup private Form form = new Form();

  @Option(names = "--oci", description = "Make OCI's media types of Docker's.")
  private boolean oci;

  @Parameters(index = "0", paramLabel = "SRC", description = "The image.")
  private String source = "";

  @Parameters(index = "1", paramLabel = "DST", description = "The name of its other form.")
  private String destination = "";

  /** One of these at most. */
  static final class Form {
    @Option(names = "--uncompress", description = "Layers that are not packed.")
    private boolean uncompress;

    @Option(names = "--gzip", description = "Layers packed with gzip.")
    private boolean gzip;

    @Option(names = "--zstd", description = "Layers packed with zstandard.")
    private boolean zstd;

    @Option(names = "--erofs", description = "Layers that are images of the EROFS file system.")
    private boolean erofs;

    ConversionRequest.Layers layers() {
      if (uncompress) {
        return ConversionRequest.Layers.UNCOMPRESSED;
      }
      if (gzip) {
        return ConversionRequest.Layers.GZIP;
      }
      if (zstd) {
        return ConversionRequest.Layers.ZSTD;
      }
      return erofs ? ConversionRequest.Layers.EROFS : ConversionRequest.Layers.KEPT;
    }
  }

  @Override
  List<Image> move(RemoteTransfers transfers, TransferListener listener) {
    return transfers.convert(
        new ConversionRequest(
            Reference.parse(source).withDefaultTag().toString(),
            Reference.parse(destination).withDefaultTag().toString(),
            form.layers(),
            oci,
            options().platforms()),
        listener);
  }
}
