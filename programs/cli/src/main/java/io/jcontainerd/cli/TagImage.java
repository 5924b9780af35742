package io.jcontainerd.cli;

import io.jcontainerd.client.RemoteTransfers;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.transfer.ImageSelection;
import io.jcontainerd.core.transfer.TransferListener;
import io.jcontainerd.oci.reference.Reference;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code jctr images tag}. */
@Command(
    name = "tag",
    description = "Gives an image further names; what had them before loses them.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {"  jctr images tag app:1 registry.example/app:1 app:latest"})
final class TagImage extends MovesImages {
  @Parameters(index = "0", paramLabel = "IMAGE", description = "The image.")
  private String source = "";

  @Parameters(index = "1..*", arity = "1..*", paramLabel = "NAME", description = "Its new names.")
  private List<String> names = List.of();

  @Override
  List<Image> move(RemoteTransfers transfers, TransferListener listener) {
    var from = new ImageSelection(Reference.parse(source).withDefaultTag().toString());
    List<Image> tagged = new ArrayList<>();
    for (String name : names) {
      String to = Reference.parse(name).withDefaultTag().toString();
      tagged.addAll(transfers.tag(from, new ImageSelection(to), listener));
    }
    return tagged;
  }
}
