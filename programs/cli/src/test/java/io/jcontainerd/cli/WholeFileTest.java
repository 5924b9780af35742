package io.jcontainerd.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class WholeFileTest {
  @TempDir private Path folder;

  @Test
  void a_file_is_made_and_replaced() throws IOException {
    Path file = folder.resolve("a.tar");
    write(file, "one");
    assertThat(file).hasContent("one");
    write(file, "two");
    assertThat(file).hasContent("two");
    assertThat(names()).containsExactly("a.tar");
  }

  @Test
  void a_failure_leaves_what_was_there() throws IOException {
    Path file = Files.writeString(folder.resolve("a.tar"), "before");
    Path part = Files.writeString(folder.resolve("a.tar.part"), "somebody's");
    assertThatThrownBy(
            () ->
                new WholeFile(file)
                    .write(
                        out -> {
                          out.write(1);
                          throw new IOException("broken");
                        }))
        .hasMessage("broken");
    assertThat(file).hasContent("before");
    assertThat(part).hasContent("somebody's");
    assertThat(names()).containsExactly("a.tar", "a.tar.part");
  }

  @Test
  void a_link_stays_and_what_it_leads_to_is_written() throws IOException {
    Path there = Files.createDirectory(folder.resolve("there"));
    Path file = Files.writeString(there.resolve("real.tar"), "before");
    Path link = Files.createSymbolicLink(folder.resolve("a.tar"), Path.of("there/real.tar"));
    write(link, "after");
    assertThat(link).isSymbolicLink();
    assertThat(file).hasContent("after");
    assertThat(names()).containsExactly("a.tar", "there");
  }

  @Test
  void a_link_to_nowhere_is_refused() throws IOException {
    Path link = Files.createSymbolicLink(folder.resolve("a.tar"), Path.of("nowhere"));
    assertThatThrownBy(() -> write(link, "x")).isInstanceOf(NoSuchFileException.class);
    assertThat(link).isSymbolicLink();
    assertThat(names()).containsExactly("a.tar");
  }

  @Test
  void what_is_no_file_is_written_to() throws Exception {
    Path device = Files.createSymbolicLink(folder.resolve("null"), Path.of("/dev/null"));
    write(device, "gone");
    assertThat(device).isSymbolicLink();
    Path pipe = folder.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    var read = new CompletableFuture<String>();
    Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              try {
                read.complete(Files.readString(pipe));
              } catch (IOException e) {
                read.completeExceptionally(e);
              }
            });
    write(pipe, "through");
    assertThat(read.get()).isEqualTo("through");
    assertThat(names()).containsExactly("null", "pipe");
  }

  private static void write(Path file, String text) throws IOException {
    new WholeFile(file).write(out -> out.write(text.getBytes(UTF_8)));
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }
}
