package io.jcontainerd.snapshots;

import io.jcontainerd.core.snapshots.SnapshotKind;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/** Folders with images: a committed snapshot's files are in the image, an active one's beside. */
final class ErofsShelf implements Shelf {
  private final Path snapshots;
  private final FolderShelf folders;
  private final ErofsImages images;

  ErofsShelf(Path snapshots, Environment environment, ErofsImages images) {
    this.snapshots = snapshots;
    this.folders = new FolderShelf(snapshots, environment);
    this.images = images;
  }

  private Path folder(long id) {
    return snapshots.resolve(Long.toString(id));
  }

  @Override
  public void open() throws IOException {
    folders.open();
  }

  @Override
  public Set<Long> ids() throws IOException {
    return folders.ids();
  }

  /** An image that nobody may remove is made removable first. */
  @Override
  public void delete(long id) throws IOException {
    images.deleteImage(folder(id));
    folders.delete(id);
  }

  @Override
  public void sweep() throws IOException {
    folders.sweep();
  }

  @Override
  public Set<Long> unsettled() throws IOException {
    var both = new HashSet<Long>();
    for (long id : ids()) {
      if (images.hasImage(folder(id)) && images.hasFiles(folder(id))) {
        both.add(id);
      }
    }
    return both;
  }

  @Override
  public void settle(long id, SnapshotKind kind) throws IOException {
    if (kind == SnapshotKind.COMMITTED) {
      images.deleteFiles(folder(id));
    } else if (images.hasFiles(folder(id))) {
      images.deleteImage(folder(id));
    }
  }
}
