package io.jcontainerd.diff.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.RawPath;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FolderTimesTest {
  private static final int SIXTEEN_MEBIBYTES = 16 << 20;

  private static RawPath path(int number) {
    String first = number % 2 == 0 ? "a" : "b"; // nothing is shared with the one before
    return RawPath.of(first + "/x".repeat(1990) + number);
  }

  private static List<RawPath> put(FolderTimes times, int count) throws IOException {
    List<RawPath> paths = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      paths.add(path(i));
      times.put(path(i), Instant.ofEpochSecond(i, 1), Instant.ofEpochSecond(i, 2));
    }
    return paths;
  }

  @Test
  void all_are_told_however_many_there_are() throws Exception {
    FolderTimes times = new FolderTimes();
    List<RawPath> paths = put(times, 5000);
    List<RawPath> told = new ArrayList<>();
    times.each(
        (path, accessed, modified) -> {
          assertThat(accessed).isEqualTo(Instant.ofEpochSecond(told.size(), 1));
          assertThat(modified).isEqualTo(Instant.ofEpochSecond(told.size(), 2));
          told.add(path);
        });
    assertThat(told).isEqualTo(paths);
  }

  @Test
  void no_more_is_remembered_than_is_allowed() {
    FolderTimes times = new FolderTimes();
    times.atMost(SIXTEEN_MEBIBYTES);
    assertThatThrownBy(() -> put(times, 5000))
        .isInstanceOf(EntryException.class)
        .hasMessageContaining("too many folders");
  }
}
