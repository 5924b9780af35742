package io.jcontainerd.diff;

import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.diff.Comparer;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.linux.LinuxKernel;
import io.jcontainerd.linux.Mounter;
import io.jcontainerd.testkit.contract.DifferContract;
import io.jcontainerd.testkit.memory.InMemoryContentStore;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;

@Tag("root")
@SuppressWarnings("NullAway.Init")
class WalkingDifferTest extends DifferContract {
  private final InMemoryContentStore content = new InMemoryContentStore();
  private Mounter mounter;

  @Override
  protected Kernel newKernel(Path temporary) {
    var kernel = new LinuxKernel(temporary);
    mounter = new Mounter(kernel, temporary.resolve("tmpmounts"));
    return kernel;
  }

  @Override
  protected Applier applier() {
    return new LayerApplier(content, mounter);
  }

  @Override
  protected Comparer comparer() {
    return new LayerComparer(content, mounter);
  }

  @Override
  protected ContentStore content() {
    return content;
  }
}
