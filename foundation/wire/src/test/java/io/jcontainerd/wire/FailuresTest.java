package io.jcontainerd.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ConflictException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.NotModifiedException;
import io.jcontainerd.core.failure.UnknownException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FailuresTest {
  @ParameterizedTest
  @CsvSource({
    "InvalidArgument,3,invalid argument",
    "NotFound,5,not found",
    "AlreadyExists,6,already exists",
    "PermissionDenied,7,permission denied",
    "ResourceExhausted,8,resource exhausted",
    "FailedPrecondition,9,failed precondition",
    "Conflict,9,conflict",
    "NotModified,9,not modified",
    "Aborted,10,aborted",
    "OutOfRange,11,out of range",
    "NotImplemented,12,not implemented",
    "Internal,13,internal",
    "Unavailable,14,unavailable",
    "DataLoss,15,data loss",
    "Unauthenticated,16,unauthenticated",
    "Cancelled,1,context canceled",
    "DeadlineExceeded,4,context deadline exceeded",
  })
  void a_class_has_its_code_and_words_and_comes_back_as_itself(String name, int code, String words)
      throws ReflectiveOperationException {
    ContainerdException failure = make(name, "thing x");

    var status = Failures.toStatus(failure);

    assertThat(status.getCode()).isEqualTo(code);
    assertThat(status.getMessage()).isEqualTo("thing x: " + words);
    ContainerdException back = Failures.toCore(status);
    assertThat(back).isExactlyInstanceOf(failure.getClass()).hasMessage("thing x");
    assertThat(Failures.toStatus(back)).isEqualTo(status);
    assertThat(Failures.toGrpc(failure).getCode().value()).isEqualTo(code);
  }

  @Test
  void what_a_stranger_wrote_says_nothing_to_a_terminal() {
    var failure = new NotFoundException("entry \u001b[2J\u0007\u009b and\n\tanother ß line");
    assertThat(Failures.text(failure))
        .isEqualTo("entry \\u001b[2J\\u0007\\u009b and\n\tanother ß line: not found");
  }

  @Test
  void every_class_of_the_family_has_a_way_out_and_back() throws ReflectiveOperationException {
    List<Class<?>> seen = new ArrayList<>();
    for (Class<?> type : ContainerdException.class.getPermittedSubclasses()) {
      ContainerdException failure =
          (ContainerdException) type.getConstructor(String.class).newInstance("thing x");
      assertThat(Failures.toCore(Failures.toStatus(failure)))
          .isExactlyInstanceOf(type)
          .hasMessage("thing x");
      seen.add(type);
    }
    assertThat(seen).hasSize(18);
  }

  @Test
  void words_that_are_there_already_are_not_said_twice() {
    assertThat(Failures.text(new NotFoundException("task x: not found")))
        .isEqualTo("task x: not found");
    assertThat(Failures.text(new CancelledException("context canceled")))
        .isEqualTo("context canceled");
  }

  @Test
  void an_unknown_failure_goes_through_word_for_word() {
    var status = Failures.toStatus(new UnknownException("runc: exec failed: no such file"));

    assertThat(status.getCode()).isEqualTo(2);
    assertThat(status.getMessage()).isEqualTo("runc: exec failed: no such file");
    assertThat(Failures.toCore(status)).hasMessage("runc: exec failed: no such file");
  }

  @Test
  void only_words_at_the_end_make_a_conflict() {
    assertThat(Failures.toCore(9, "a: conflict")).isInstanceOf(ConflictException.class);
    assertThat(Failures.toCore(9, "conflict")).isInstanceOf(ConflictException.class);
    assertThat(Failures.toCore(9, "not modified")).isInstanceOf(NotModifiedException.class);
    assertThat(Failures.toCore(9, "conflict: snapshot a"))
        .isInstanceOf(FailedPreconditionException.class);
    assertThat(Failures.toCore(9, "a noconflict")).isInstanceOf(FailedPreconditionException.class);
  }

  @Test
  void a_code_nobody_defined_is_unknown_and_success_is_no_failure() {
    assertThat(Failures.toCore(77, "strange")).isInstanceOf(UnknownException.class);
    assertThatThrownBy(() -> Failures.toCore(0, "")).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void a_grpc_exception_keeps_its_cause_and_may_lack_a_description() {
    StatusRuntimeException grpc = Status.ALREADY_EXISTS.asRuntimeException();

    ContainerdException failure = Failures.toCore(grpc);

    assertThat(failure).isInstanceOf(AlreadyExistsException.class).hasCause(grpc);
  }

  @ParameterizedTest
  @ValueSource(strings = {"x", "é", "%", "€", "\uD83D\uDE00"})
  void what_does_not_fit_into_a_header_is_cut(String piece) throws Exception {
    String longest = piece.repeat(20_000);
    for (String text : List.of(longest, "a" + longest, "ab" + longest)) {
      String cut = Failures.toGrpc(new NotFoundException(text)).getDescription();
      String start = cut.replaceFirst("…: not found$", "");
      assertThat(cut).isEqualTo(start + "…: not found");
      assertThat(text).startsWith(start);
      assertThat(start.codePoints()).noneMatch(c -> Character.getType(c) == Character.SURROGATE);
      assertThat(URLEncoder.encode(cut, StandardCharsets.UTF_8).length())
          .isBetween(6100, 6144 + 20); // which escapes two characters more
      assertThat(Failures.toCore(Failures.toGrpc(new NotFoundException(text)).asException()))
          .isInstanceOf(NotFoundException.class)
          .hasMessage(start + "…");
    }
    String fits = "é".repeat(1000);
    assertThat(Failures.toGrpc(new UnknownException(fits)).getDescription()).isEqualTo(fits);
    assertThat(Failures.toGrpc(new UnknownException(longest)).getDescription()).endsWith("…");
  }

  private static ContainerdException make(String name, String message)
      throws ReflectiveOperationException {
    return Class.forName("io.jcontainerd.core.failure." + name + "Exception")
        .asSubclass(ContainerdException.class)
        .getConstructor(String.class)
        .newInstance(message);
  }
}
