package io.jcontainerd.snapshots;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;

/**
 * Files that hold xfs, on xfs, where copies share blocks. Copies of one file system have one
 * number, which xfs refuses to mount twice unless told.
 */
@Tag("root")
class BlockfileXfsFilesTest extends BlockfileFilesTest {
  @Override
  String ground() {
    return "xfs";
  }

  /** What is deleted on xfs is freed when the kernel has time. */
  @Override
  protected Set<Trait> leavesOut() {
    Set<Trait> all = EnumSet.copyOf(super.leavesOut());
    all.add(Trait.FREES_ROOM_AT_CLEANUP);
    return all;
  }

  @Override
  String type() {
    return "xfs";
  }

  @Override
  long scratchSize() {
    return 300L << 20;
  }

  @Override
  List<String> mountOptions() {
    return List.of("nouuid");
  }

  @Override
  protected int depth() {
    return 4;
  }
}
