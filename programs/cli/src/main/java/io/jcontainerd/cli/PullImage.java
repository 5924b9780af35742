package io.jcontainerd.cli;

import io.jcontainerd.client.RemoteTransfers;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.transfer.ImageSelection;
import io.jcontainerd.core.transfer.PullRequest;
import io.jcontainerd.core.transfer.RemoteImage;
import io.jcontainerd.core.transfer.TransferListener;
import io.jcontainerd.oci.reference.Reference;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jctr images pull} and {@code jctr pull}. */
@Command(
    name = "pull",
    description = "Has the daemon bring an image from a registry.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  jctr images pull alpine:3",
      "  jctr images pull --platform linux/arm64 --no-unpack registry.example/app:1",
      "  jctr images pull --plain-http localhost:5000/app | cat  plain lines, no bars"
    })
final class PullImage extends MovesImages {
  @Mixin private RegistryFlags registry = new RegistryFlags();

  @Option(names = "--snapshotter", paramLabel = "NAME", description = "Where it is unpacked.")
  private String snapshotter = "";

  @Option(names = "--no-unpack", description = "Only store its content.")
  private boolean onlyContent;

  @Option(
      names = "--label",
      paramLabel = "KEY=VALUE",
      description = "A label for the image, several times for several.")
  private Map<String, String> labels = new LinkedHashMap<>();

  @Parameters(paramLabel = "REF", description = "The image, as people write it.")
  private String reference = "";

  @Override
  List<Image> move(RemoteTransfers transfers, TransferListener listener) {
    Reference remote = Reference.parse(reference).withDefaultTag();
    String name = remote.toString();
    var destination =
        new ImageSelection(
            name,
            labels,
            options().platforms(),
            false,
            0,
            List.of(),
            options().unpacks(!onlyContent, snapshotter));
    return transfers.pull(
        new PullRequest(new RemoteImage(name, registry.access(remote)), destination), listener);
  }
}
