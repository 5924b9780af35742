package io.jcontainerd.snapshots;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.check.CheckedTrees.Source;
import io.jcontainerd.core.check.FileSums;
import io.jcontainerd.core.check.UnpackObserver;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * What was unpacked into folders whose snapshots are not committed yet; lost with the process, and
 * then the files are read instead. Safe for many threads.
 */
public final class UnpackNotes implements UnpackObserver {
  private final Map<Path, List<Note>> notes = new ConcurrentHashMap<>();

  private record Note(Source source, FileSums sums) {}

  /** Nothing noted. */
  public UnpackNotes() {}

  @Override
  public void unpacked(Path tree, Descriptor layer, Descriptor plain, FileSums sums) {
    Note note = new Note(new Source(layer, plain.digest()), sums);
    notes.merge(
        tree.normalize(),
        List.of(note),
        (before, one) -> Stream.concat(before.stream(), one.stream()).toList());
  }

  void forget(Path tree) {
    notes.remove(tree.normalize());
  }

  private List<Note> of(Path tree) {
    return notes.getOrDefault(tree.normalize(), List.of());
  }

  boolean any(Path tree) {
    return !of(tree).isEmpty();
  }

  /** The one layer that was unpacked there. */
  Optional<Source> source(Path tree) {
    List<Note> all = of(tree);
    return all.size() == 1 ? Optional.of(all.getFirst().source()) : Optional.empty();
  }

  /** The sums of all that was unpacked there. */
  FileSums sums(Path tree) {
    List<Note> all = of(tree).reversed();
    return file ->
        all.stream()
            .map(note -> note.sums().find(file))
            .filter(OptionalLong::isPresent)
            .findFirst()
            .orElse(OptionalLong.empty());
  }
}
