package io.jcontainerd.linux.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.operation.Operation.Helper;
import io.jcontainerd.testkit.time.Soon;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(180)
class HelpersTest {
  @Test
  void children_that_name_a_word_are_found_with_what_they_started() throws Exception {
    String word = "/bundle-" + UUID.randomUUID();
    int self = (int) ProcessHandle.current().pid();
    Process helper =
        new ProcessBuilder("sh", "-c", "sleep 600; :", "sh", word + "/log.json").start();
    Process other = new ProcessBuilder("sleep", "601").start();
    try {
      Soon.until(
          "both run, and what was started is its own program",
          () ->
              Helpers.now().of(self, List.of(word)).stream()
                  .anyMatch(found -> found.command().startsWith("sleep 600")));
      List<Helper> found = Helpers.now().of(self, List.of(word));
      assertThat(found).extracting(Helper::pid).contains((int) helper.pid());
      assertThat(found.getFirst().command()).contains(word);
      assertThat(found.get(1).command()).startsWith("sleep 600");
      assertThat(found).extracting(Helper::pid).doesNotContain((int) other.pid());
      assertThat(Helpers.now().of(self, List.of("no such word"))).isEmpty();
    } finally {
      helper.descendants().forEach(ProcessHandle::destroyForcibly);
      helper.destroyForcibly().waitFor();
      other.destroyForcibly().waitFor();
    }
  }
}
