package io.jcontainerd.linux.libc;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.linux.Errno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Functions of all kinds of results and arguments come through the one shape unharmed. */
class CFunctionTest {
  @Test
  void a_negative_int_stays_negative_in_and_out() {
    try (Arena arena = Arena.ofConfined()) {
      assertThat(new CFunction("abs").call(Libc.capture(arena), -42)).isEqualTo(42);
      assertThat(new CFunction("toupper").call(Libc.capture(arena), -1)).isEqualTo(-1);
    }
  }

  @Test
  void a_long_keeps_all_its_bits() {
    try (Arena arena = Arena.ofConfined()) {
      long wanted = 0x7123_4567_89ab_cdefL;
      assertThat(new CFunction("labs").callLong(Libc.capture(arena), -wanted, 0, 0))
          .isEqualTo(wanted);
    }
  }

  @Test
  void an_int_function_that_leaves_rubbish_above_its_result_is_read_as_an_int() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment number = arena.allocateFrom("4294967291"); // 2^32 - 5
      assertThat(new CFunction("atol").callLong(Libc.capture(arena), CFunction.at(number), 0, 0))
          .isEqualTo(4_294_967_291L);
      assertThat(new CFunction("atol").call(Libc.capture(arena), CFunction.at(number)))
          .isEqualTo(-5);
    }
  }

  @Test
  void six_arguments_arrive_in_order_also_where_the_function_takes_any_number() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment into = arena.allocate(64);
      int length =
          new CFunction("snprintf")
              .call(
                  Libc.capture(arena),
                  CFunction.at(into),
                  64,
                  CFunction.at(arena.allocateFrom("%ld %d %s")),
                  Long.MIN_VALUE,
                  -7,
                  CFunction.at(arena.allocateFrom("x")));
      assertThat(into.getString(0, StandardCharsets.UTF_8)).isEqualTo(Long.MIN_VALUE + " -7 x");
      assertThat(length).isEqualTo(into.getString(0).length());
    }
  }

  @Test
  void errno_is_that_of_the_call() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      assertThat(new CFunction("close").call(capture, -1)).isEqualTo(-1);
      assertThat(Libc.errno(capture)).isEqualTo(Errno.EBADF);
    }
  }

  @Test
  void only_memory_that_stays_for_the_call_has_an_address() {
    MemorySegment heap = MemorySegment.ofArray(new byte[8]);
    assertThatIllegalArgumentException().isThrownBy(() -> CFunction.at(heap));
    MemorySegment closed;
    try (Arena arena = Arena.ofConfined()) {
      closed = arena.allocate(JAVA_LONG);
      assertThat(CFunction.at(closed)).isEqualTo(closed.address());
      CompletableFuture<Long> elsewhere =
          CompletableFuture.supplyAsync(() -> CFunction.at(arena.allocate(JAVA_BYTE)));
      assertThatThrownBy(elsewhere::join).hasRootCauseInstanceOf(WrongThreadException.class);
      MemorySegment ours = closed;
      CompletableFuture<Long> borrowed = CompletableFuture.supplyAsync(() -> CFunction.at(ours));
      assertThatThrownBy(borrowed::join).hasRootCauseInstanceOf(IllegalArgumentException.class);
    }
    assertThatIllegalArgumentException().isThrownBy(() -> CFunction.at(closed));
  }

  @Test
  void a_function_that_the_library_lacks_is_named() {
    try (Arena arena = Arena.ofConfined()) {
      assertThatThrownBy(() -> new CFunction("no_such_function").call(Libc.capture(arena)))
          .isInstanceOf(UnsatisfiedLinkError.class)
          .hasMessageContaining("no_such_function");
    }
  }
}
