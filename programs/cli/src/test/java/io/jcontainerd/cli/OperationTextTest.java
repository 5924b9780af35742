package io.jcontainerd.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.operation.Operation;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OperationTextTest {
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");

  private static final Operation STUCK =
      new Operation(
          "k7dw-1",
          "create",
          "default",
          "web",
          "runtime create",
          "runc create",
          NOW.minusSeconds(70),
          NOW.minusMillis(1250),
          "ctr",
          1,
          true,
          List.of(
              new Operation.Helper(
                  12345, "runc create \u001b[31m", "D", "rpc_wait", List.of("one", "two"))),
          Optional.empty());

  @ParameterizedTest
  @CsvSource({"0, 0.0s", "1250, 1.2s", "59999, 59.9s", "60000, 1m0s", "3725999, 1h2m5s", "-5, 0s"})
  void an_age_is_as_exact_as_it_is_of_use(long millis, String text) {
    assertThat(OperationText.age(NOW.minusMillis(millis), NOW)).isEqualTo(text);
  }

  @Test
  void for_programs_it_tells_everything() {
    assertThat(OperationText.json(STUCK, NOW).toString())
        .contains("\"id\":\"k7dw-1\"")
        .contains("\"waitsFor\":\"runc create\"")
        .contains("\"ageMillis\":70000")
        .contains("\"stageAgeMillis\":1250")
        .contains("\"waitChannel\":\"rpc_wait\"")
        .contains("\"stack\":[\"one\",\"two\"]");
  }

  @Test
  void helpers_are_shown_with_their_stacks_and_say_nothing_to_the_terminal() {
    var out = new StringWriter();
    OperationText.printHelpers(new PrintWriter(out, true), STUCK);
    assertThat(out.toString())
        .contains("k7dw-1: process 12345, state D in rpc_wait: runc create \\u001b[31m")
        .contains("\n  one\n  two\n");
  }
}
