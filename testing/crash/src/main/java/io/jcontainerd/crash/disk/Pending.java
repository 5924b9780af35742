package io.jcontainerd.crash.disk;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Predicate;

/**
 * A disk on the way through a recording: what is durable for certain, and the changes that were not
 * forced yet, in order.
 */
public final class Pending {
  private final Disk durable;
  private final List<Op> ops = new ArrayList<>();

  /** Begins with a disk, which is changed from here on. */
  public Pending(Disk durable) {
    this.durable = durable;
  }

  /** What a power cut cannot take. */
  public Disk durable() {
    return durable;
  }

  /** What a power cut may take, tear or keep. */
  public List<Op> ops() {
    return List.copyOf(ops);
  }

  /** Goes past a change. */
  public void pass(Op op) {
    switch (op) {
      case Op.Make make -> durable.apply(make, Disk.Part.WHOLE);
      case Op.ForceAll _ -> settle(_ -> true);
      case Op.ForceFile force -> settle(pending -> file(pending) == force.file());
      case Op.ForceFolder force -> forceFolder(force.folder());
      default -> ops.add(op);
    }
  }

  private static long file(Op op) {
    return switch (op) {
      case Op.Write write -> write.file();
      case Op.Truncate cut -> cut.file();
      case Op.Mode mode -> mode.node();
      case Op.Owner owner -> owner.node();
      case Op.Modified modified -> modified.node();
      default -> -1;
    };
  }

  private void settle(Predicate<Op> which) {
    for (Iterator<Op> each = ops.iterator(); each.hasNext(); ) {
      Op op = each.next();
      if (which.test(op)) {
        durable.apply(op, Disk.Part.WHOLE);
        each.remove();
      }
    }
  }

  /**
   * A move to another folder is done as a whole or not at all as far as the new name goes; that the
   * old name is gone is durable only once its own folder was forced.
   */
  private void forceFolder(long folder) {
    for (int i = 0; i < ops.size(); i++) {
      if (ops.get(i) instanceof Op.Rename rename
          && rename.to() == folder
          && rename.from() != folder) {
        durable.apply(rename, Disk.Part.HALF);
        ops.set(i, new Op.Unname(rename.from(), rename.oldName()));
      }
    }
    settle(
        op ->
            switch (op) {
              case Op.Name name -> name.folder() == folder;
              case Op.Unname gone -> gone.folder() == folder;
              case Op.Rename rename -> rename.from() == folder || rename.to() == folder;
              case Op.Mode mode -> mode.node() == folder;
              case Op.Owner owner -> owner.node() == folder;
              case Op.Modified modified -> modified.node() == folder;
              default -> false;
            });
  }
}
