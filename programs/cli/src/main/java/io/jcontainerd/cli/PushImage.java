package io.jcontainerd.cli;

import io.jcontainerd.client.RemoteTransfers;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.transfer.ImageSelection;
import io.jcontainerd.core.transfer.PushRequest;
import io.jcontainerd.core.transfer.RemoteImage;
import io.jcontainerd.core.transfer.TransferListener;
import io.jcontainerd.oci.reference.Reference;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code jctr images push} and {@code jctr push}. */
@Command(
    name = "push",
    description = "Has the daemon take an image to a registry.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  jctr images push registry.example/app:1",
      "  jctr images push registry.example/app:1 local:latest  what is here named local:latest",
      "  jctr images push --all-platforms registry.example/app:1"
    })
final class PushImage extends MovesImages {
  @Mixin private RegistryFlags registry = new RegistryFlags();

  @Parameters(index = "0", paramLabel = "REF", description = "What it is called there.")
  private String reference = "";

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "IMAGE",
      description = "What it is called here. Default: the same")
  private @Nullable String image;

  @Override
  List<Image> move(RemoteTransfers transfers, TransferListener listener) {
    Reference remote = Reference.parse(reference).withDefaultTag();
    String name = remote.toString();
    String local = image == null ? name : Reference.parse(image).withDefaultTag().toString();
    transfers.push(
        new PushRequest(
            new ImageSelection(local).withPlatforms(options().platforms()),
            new RemoteImage(name, registry.access(remote))),
        listener);
    return List.of();
  }
}
