package io.jcontainerd.cli;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.core.check.StorageExplainer.Usage;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import java.io.PrintWriter;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code jctr images ls}. */
@Command(
    name = "ls",
    aliases = "list",
    description = {
      "Lists images and what they take.",
      "CONTENT is of their blobs, UNPACKED of their snapshots; UNIQUE is what would be free without",
      "the image, SHARED is used by others, too."
    },
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {"  jctr images ls", "  jctr images ls -n k8s.io --format json"})
final class ListImages implements Callable<Integer> {
  @ParentCommand private Images images = new Images();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = {"-n", "--namespace"},
      paramLabel = "NAME",
      description = "Whose images; also by $$CONTAINERD_NAMESPACE. Default: ${DEFAULT-VALUE}",
      defaultValue = "${env:CONTAINERD_NAMESPACE:-" + Containerd.DEFAULT_NAMESPACE + "}")
  private String namespace = Containerd.DEFAULT_NAMESPACE;

  /** One image; none knows what one takes that was made a moment ago. */
  private record Row(Image image, Usage usage) {}

  @Override
  public Integer call() {
    List<Row> rows;
    try (Containerd daemon = images.connect()) {
      Map<String, Usage> usage = new HashMap<>();
      for (Usage one : daemon.storage().diskUsage().each()) {
        if (one.kind().equals("image") && one.namespace().equals(namespace)) {
          usage.put(one.name(), one);
        }
      }
      rows =
          daemon.in(namespace).images().list(Filter.ALL).stream()
              .sorted(Comparator.comparing(Image::name))
              .map(image -> new Row(image, usage.getOrDefault(image.name(), unknown(image))))
              .toList();
    }
    PrintWriter out = spec.commandLine().getOut();
    switch (images.format()) {
      case json -> out.println(JsonArray.of(rows, ListImages::json));
      case table -> print(out, rows);
    }
    return CommandLine.ExitCode.OK;
  }

  private Usage unknown(Image image) {
    return new Usage(namespace, "image", image.name(), 0, 0, 0, 0);
  }

  private static void print(PrintWriter out, List<Row> rows) {
    Table table = new Table("NAME", "DIGEST", ">CONTENT", ">UNPACKED", ">UNIQUE", ">SHARED");
    for (Row row : rows) {
      table.add(
          Printable.text(row.image.name()),
          row.image.target().digest().toString(),
          Bytes.text(row.usage.contentBytes()),
          Bytes.text(row.usage.snapshotBytes()),
          Bytes.text(row.usage.uniqueBytes()),
          Bytes.text(row.usage.sharedBytes()));
    }
    table.print(out);
  }

  private static JsonObject json(Row row) {
    return JsonObject.EMPTY
        .with("name", row.image.name())
        .with("digest", row.image.target().digest().toString())
        .with("mediaType", row.image.target().mediaType())
        .with("contentBytes", row.usage.contentBytes())
        .with("snapshotBytes", row.usage.snapshotBytes())
        .with("uniqueBytes", row.usage.uniqueBytes())
        .with("sharedBytes", row.usage.sharedBytes());
  }
}
