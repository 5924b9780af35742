package io.jcontainerd.cli;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.oci.image.ChainIds;
import io.jcontainerd.oci.image.ImageConfig;
import io.jcontainerd.oci.image.ImageDocument;
import io.jcontainerd.oci.image.Index;
import io.jcontainerd.oci.image.Manifest;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.reference.Reference;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code jctr images usage}. */
@Command(
    name = "usage",
    description = {
      "Tells what the parts of an image take that are here.",
      "CONTENT is of the blob, UNPACKED of the snapshot of a layer."
    },
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {"  jctr images usage alpine:3"})
final class ImageUsage implements Callable<Integer> {
  private static final int DEEPEST = 4;
  private static final int LONGEST = 8 << 20;

  @ParentCommand private Images images = new Images();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = {"-n", "--namespace"},
      paramLabel = "NAME",
      description = "Whose images; also by $$CONTAINERD_NAMESPACE. Default: ${DEFAULT-VALUE}",
      defaultValue = "${env:CONTAINERD_NAMESPACE:-" + Containerd.DEFAULT_NAMESPACE + "}")
  private String namespace = Containerd.DEFAULT_NAMESPACE;

  @Option(
      names = "--snapshotter",
      paramLabel = "NAME",
      description = "Whose snapshots count. Default: ${DEFAULT-VALUE}",
      defaultValue = "overlayfs")
  private String snapshotter = "overlayfs";

  @Parameters(paramLabel = "IMAGE", description = "The image.")
  private String name = "";

  /** A part of the image; empty sizes are of what is not here. */
  private record Part(
      String kind, Descriptor at, Optional<Long> content, Optional<Long> unpacked) {}

  @Override
  public Integer call() {
    List<Part> parts = new ArrayList<>();
    try (Containerd daemon = images.connect()) {
      Containerd client = daemon.in(namespace);
      String known = Reference.parse(name).withDefaultTag().toString();
      add(client, client.images().get(known).target(), 0, new HashSet<>(), parts);
    }
    PrintWriter out = spec.commandLine().getOut();
    switch (images.format()) {
      case json -> out.println(JsonArray.of(parts, ImageUsage::json));
      case table -> print(out, parts);
    }
    return CommandLine.ExitCode.OK;
  }

  /** What several manifests share is told once. */
  private void add(
      Containerd client, Descriptor at, int depth, Set<Digest> seen, List<Part> parts) {
    if (depth > DEEPEST || !seen.add(at.digest())) {
      return;
    }
    String type = at.mediaType();
    boolean index = MediaTypes.isIndex(type);
    boolean manifest = MediaTypes.isManifest(type);
    Part part =
        new Part(
            index ? "index" : manifest ? "manifest" : "other",
            at,
            content(client, at),
            Optional.empty());
    parts.add(part);
    if (part.content().isEmpty() || !(index || manifest)) {
      return;
    }
    switch (ImageDocument.parse(client.content().readAll(at.digest(), LONGEST), type)) {
      case Index(_, List<Index.Entry> entries, _) ->
          entries.forEach(entry -> add(client, entry.descriptor(), depth + 1, seen, parts));
      case Manifest found -> addLayers(client, found, seen, parts);
    }
  }

  private void addLayers(Containerd client, Manifest manifest, Set<Digest> seen, List<Part> parts) {
    Descriptor config = manifest.config();
    Optional<Long> size = content(client, config);
    if (seen.add(config.digest())) {
      parts.add(new Part("config", config, size, Optional.empty()));
    }
    List<Digest> chain =
        size.isPresent() && MediaTypes.isConfig(config.mediaType())
            ? ChainIds.of(
                ImageConfig.parse(client.content().readAll(config.digest(), LONGEST)).diffIds())
            : List.of();
    for (int i = 0; i < manifest.layers().size(); i++) {
      Descriptor layer = manifest.layers().get(i);
      Optional<Long> unpacked =
          i < chain.size() ? unpacked(client, chain.get(i)) : Optional.empty();
      if (seen.add(layer.digest())) {
        parts.add(new Part("layer", layer, content(client, layer), unpacked));
      }
    }
  }

  private static Optional<Long> content(Containerd client, Descriptor at) {
    return client.content().find(at.digest()).map(info -> info.size());
  }

  private Optional<Long> unpacked(Containerd client, Digest chainId) {
    try {
      return Optional.of(client.snapshotter(snapshotter).usage(chainId.toString()).size());
    } catch (NotFoundException _) {
      return Optional.empty();
    }
  }

  private static void print(PrintWriter out, List<Part> parts) {
    Table table = new Table("PART", "DIGEST", ">CONTENT", ">UNPACKED", "TYPE");
    long content = 0;
    long unpacked = 0;
    for (Part part : parts) {
      content += part.content().orElse(0L);
      unpacked += part.unpacked().orElse(0L);
      table.add(
          part.kind(),
          part.at().digest().toString(),
          part.content().map(Bytes::text).orElse("-"),
          part.unpacked().map(Bytes::text).orElse("-"),
          Printable.text(part.at().mediaType()));
    }
    table.print(out);
    out.printf("%ncontent %s, unpacked %s%n", Bytes.text(content), Bytes.text(unpacked));
  }

  private static JsonObject json(Part part) {
    JsonObject json =
        JsonObject.EMPTY
            .with("part", part.kind())
            .with("digest", part.at().digest().toString())
            .with("mediaType", part.at().mediaType());
    if (part.content().isPresent()) {
      json = json.with("contentBytes", part.content().get());
    }
    return part.unpacked().isPresent() ? json.with("unpackedBytes", part.unpacked().get()) : json;
  }
}
