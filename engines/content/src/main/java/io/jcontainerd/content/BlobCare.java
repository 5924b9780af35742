package io.jcontainerd.content;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.check.CheckedBlobs;
import io.jcontainerd.core.check.Damage;
import io.jcontainerd.core.check.Pace;
import io.jcontainerd.core.check.TreeDamage;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.ports.DamagedFileException;
import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.core.ports.Files;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/** Compares blobs with their names, and sets damaged ones aside. Safe for many threads. */
final class BlobCare implements CheckedBlobs {
  private static final Logger LOG = System.getLogger(BlobCare.class.getName());
  private static final int PIECE = 1 << 17;

  /** So much may be in memory that nobody needs. */
  private static final int SPILL = 1 << 23;

  private static final int FOLDER_MODE = 0700;

  private final Path blobs;
  private final Path aside;
  private final Files files;

  BlobCare(Path root, Files files) {
    this.blobs = root.resolve("blobs");
    this.aside = root.resolve("aside");
    this.files = files;
  }

  private Path blob(Digest digest) {
    return blobs.resolve(digest.algorithm()).resolve(digest.hex());
  }

  @Override
  public void check(
      Digest digest, OptionalLong size, boolean deep, Pace pace, Consumer<TreeDamage> each)
      throws InterruptedException {
    try {
      Optional<FileStat> found = stat(digest, each);
      if (found.isEmpty()) {
        return;
      }
      FileStat stat = found.get();
      if (stat.type() != FileStat.Type.REGULAR) {
        String kind = stat.type().name().toLowerCase(Locale.ROOT).replace('_', ' ');
        each.accept(new TreeDamage("", Damage.TYPE, "a regular file became a " + kind));
        return;
      }
      checkStat(stat, each);
      if (size.isPresent() && size.getAsLong() != stat.size()) {
        String detail = "%d bytes became %d".formatted(size.getAsLong(), stat.size());
        each.accept(new TreeDamage("", Damage.SIZE, detail));
      } else if (deep) {
        checkBytes(digest, pace, each);
      }
    } catch (NoSuchFileException e) {
      each.accept(new TreeDamage("", Damage.MISSING, ""));
    } catch (IOException e) {
      throw IoFailures.of("content " + digest + ": check", e);
    }
  }

  /** What the blob is; empty if that was told as a damage. */
  private Optional<FileStat> stat(Digest digest, Consumer<TreeDamage> each) throws IOException {
    try {
      Optional<FileStat> found = files.stat(blob(digest));
      if (found.isEmpty()) {
        each.accept(new TreeDamage("", Damage.MISSING, ""));
      }
      return found;
    } catch (DamagedFileException e) {
      each.accept(unreadable(e));
      return Optional.empty();
    }
  }

  private static TreeDamage unreadable(DamagedFileException e) {
    return new TreeDamage("", Damage.CONTENT, "the disk cannot read it: " + e.getReason());
  }

  private void checkStat(FileStat stat, Consumer<TreeDamage> each) throws IOException {
    if (stat.mode() != LocalIngest.BLOB_MODE) {
      String detail = "%04o became %04o".formatted(LocalIngest.BLOB_MODE, stat.mode());
      each.accept(new TreeDamage("", Damage.MODE, detail));
    }
    FileStat owner = owner();
    if (stat.uid() != owner.uid() || stat.gid() != owner.gid()) {
      String detail =
          "%d:%d became %d:%d".formatted(owner.uid(), owner.gid(), stat.uid(), stat.gid());
      each.accept(new TreeDamage("", Damage.OWNER, detail));
    }
  }

  /** Blobs belong to whom their folder belongs. */
  private FileStat owner() throws IOException {
    return files.stat(blobs).orElseThrow(() -> new NoSuchFileException(blobs.toString()));
  }

  private void checkBytes(Digest digest, Pace pace, Consumer<TreeDamage> each)
      throws IOException, InterruptedException {
    MessageDigest hasher = Digest.hasher(digest.algorithm());
    ByteBuffer piece = ByteBuffer.allocateDirect(PIECE);
    try (Files.Handle handle = files.open(blob(digest), Files.Open.READ, 0)) {
      long position = 0;
      long kept = 0;
      int count = handle.read(piece, position);
      while (count > 0) {
        hasher.update(piece.flip());
        position += count;
        kept += count;
        if (kept >= SPILL && !pace.fillsCache()) {
          handle.dontKeep(position);
          kept = 0;
        }
        pace.read(count);
        count = handle.read(piece.clear(), position);
      }
      if (kept > 0 && !pace.fillsCache()) {
        handle.dontKeep(position);
      }
    } catch (DamagedFileException e) {
      each.accept(unreadable(e)); // any other failure says nothing about the bytes
      return;
    }
    if (!Digest.of(digest.algorithm(), hasher.digest()).equals(digest)) {
      each.accept(new TreeDamage("", Damage.CONTENT, ""));
    }
  }

  @Override
  public void dress(Digest digest) {
    try {
      FileStat owner = owner();
      files.setOwner(blob(digest), owner.uid(), owner.gid());
      files.setMode(blob(digest), LocalIngest.BLOB_MODE);
    } catch (IOException e) {
      throw IoFailures.of("content " + digest + ": set owner and mode", e);
    }
  }

  private Path aside(Digest digest) {
    return aside.resolve(digest.algorithm() + "-" + digest.hex());
  }

  @Override
  public void setAside(Digest digest) {
    try {
      if (files.stat(blob(digest)).isEmpty()) {
        return; // what was set aside before stays
      }
      if (files.stat(aside).isEmpty()) {
        files.createDirectories(aside, FOLDER_MODE);
      }
      deleteAside(digest);
      files.rename(blob(digest), aside(digest));
      files.forceDirectory(aside);
      files.forceDirectory(blobs.resolve(digest.algorithm()));
    } catch (NoSuchFileException _) {
      // Somebody deleted it meanwhile: it is not served either.
    } catch (IOException e) {
      throw IoFailures.of("content " + digest + ": set aside", e);
    }
  }

  @Override
  public void putBack(Digest digest) {
    try {
      files.renameNew(aside(digest), blob(digest));
      files.forceDirectory(blobs.resolve(digest.algorithm()));
      files.forceDirectory(aside);
    } catch (NoSuchFileException | FileAlreadyExistsException _) {
      // Nothing was set aside, or it is there again, and better.
    } catch (IOException e) {
      throw IoFailures.of("content " + digest + ": put back what was set aside", e);
    }
  }

  @Override
  public List<Digest> aside() {
    var found = new ArrayList<Digest>();
    try {
      if (files.stat(aside).isEmpty()) {
        return found;
      }
      for (String name : files.list(aside)) {
        digest(name).ifPresent(found::add);
      }
      return found;
    } catch (IOException e) {
      throw IoFailures.of("content store: list " + aside, e);
    }
  }

  private Optional<Digest> digest(String name) {
    int dash = name.indexOf('-');
    try {
      return Optional.of(
          new Digest(name.substring(0, Math.max(0, dash)), name.substring(dash + 1)));
    } catch (InvalidArgumentException e) {
      LOG.log(Level.WARNING, "content store: {0} is left alone", aside.resolve(name));
      return Optional.empty();
    }
  }

  @Override
  public void deleteAside(Digest digest) {
    try {
      Optional<FileStat> stat = files.stat(aside(digest));
      if (stat.isPresent() && stat.get().isDirectory()) {
        files.deleteTree(aside(digest));
      } else if (stat.isPresent()) {
        files.delete(aside(digest));
      }
    } catch (NoSuchFileException _) {
      // Another was quicker.
    } catch (IOException e) {
      throw IoFailures.of("content " + digest + ": delete what was set aside", e);
    }
  }
}
