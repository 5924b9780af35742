package io.jcontainerd.crash.faults;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.diff.Comparer;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.crash.world.World;
import io.jcontainerd.diff.LayerApplier;
import io.jcontainerd.diff.LayerComparer;
import io.jcontainerd.linux.LinuxKernel;
import io.jcontainerd.linux.Mounter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Layers made of, and applied to, folders of this machine, with the calls for their blobs failing.
 */
final class LayerScenarios {
  private static final String TAR = "application/vnd.oci.image.layer.v1.tar";

  private final Path scratch;
  private final Path full;
  private final Path empty;
  private final Mounter mounter;

  private LayerScenarios(Path scratch) throws IOException {
    this.scratch = scratch;
    this.full = Files.createDirectories(scratch.resolve("full"));
    this.empty = Files.createDirectories(scratch.resolve("empty"));
    Files.createDirectories(full.resolve("etc"));
    for (int i = 0; i < 5; i++) {
      Files.write(full.resolve("etc/file-" + i), new byte[40_000 * i]);
    }
    this.mounter =
        new Mounter(new LinuxKernel(scratch.resolve("tmp")), scratch.resolve("tmpmounts"));
  }

  static List<FaultScenario> all(Path scratch) throws IOException {
    LayerScenarios scenarios = new LayerScenarios(scratch);
    List<FaultScenario> all = new ArrayList<>();
    for (String packing : List.of("", "+gzip", "+zstd")) {
      String type = TAR + packing;
      FaultScenario.Step compare = FaultScenarios.in("ns", world -> scenarios.compare(world, type));
      all.add(
          new FaultScenario(
              "make a layer" + packing, _ -> {}, compare, FaultScenario.Kind.ONE_CALL));
      all.add(
          new FaultScenario(
              "apply a layer" + packing,
              compare,
              FaultScenarios.in("ns", world -> scenarios.apply(world, type)),
              FaultScenario.Kind.ONE_CALL));
    }
    return all;
  }

  private static List<Mount> bind(Path folder) {
    return List.of(new Mount("bind", folder.toString(), List.of("rw", "rbind")));
  }

  private Descriptor compare(World world, String type) {
    return new LayerComparer(world.metadata().content(), mounter)
        .compare(
            bind(empty),
            bind(full),
            new Comparer.Options(
                type, "", Map.of("containerd.io/gc.root", "yes"), Optional.empty()));
  }

  private void apply(World world, String type) throws IOException {
    ContentStore content = world.metadata().content();
    List<ContentInfo> blobs = new ArrayList<>();
    content.walk(Filter.ALL, blobs::add);
    ContentInfo blob = blobs.getFirst();
    Path target = Files.createTempDirectory(scratch, "applied");
    Descriptor _ =
        new LayerApplier(content, mounter)
            .apply(
                new Descriptor(type, blob.digest(), blob.size()),
                bind(target),
                new Applier.Options(Map.of(), false));
    for (int i = 0; i < 5; i++) {
      Path file = target.resolve("etc/file-" + i);
      if (Files.size(file) != 40_000L * i) {
        throw new IOException(file + " was not applied, and nobody said so");
      }
    }
  }
}
