package io.jcontainerd.endure;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.endure.TaskBook.Certainty;
import io.jcontainerd.testkit.tasks.TaskEvent;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class TaskBookTest {
  private final TaskBook book = new TaskBook();
  private final Problems problems = new Problems();

  private void tell(String kind, String exec, int status) {
    book.told(new TaskEvent("ns", kind, "c", exec, 7, status, Optional.empty()));
  }

  private void tellAll() {
    tell("create", "", 0);
    tell("start", "", 0);
    tell("exec-added", "e", 0);
    tell("exec-started", "e", 0);
    tell("exit", "e", 3);
    tell("exit", "", 137);
    tell("delete", "", 137);
  }

  private String verified() {
    book.verify(problems);
    return book.result();
  }

  @Test
  void whole_lives_are_as_they_should_be() throws InterruptedException {
    tellAll();
    book.lived("c", "", 137);
    book.lived("c", "e", 3);
    assertThat(book.awaitComplete(0)).isTrue();
    assertThat(verified()).isEqualTo("7 events of 2 processes: 0 lost, 0 doubled, 0 wrong");
    assertThat(problems.count()).isZero();
  }

  @Test
  void an_exit_that_is_not_told_is_lost() throws InterruptedException {
    tell("create", "", 0);
    tell("start", "", 0);
    tell("delete", "", 0);
    book.known("c", "", Certainty.NONE, OptionalInt.empty());
    assertThat(book.awaitComplete(0)).isFalse();
    assertThat(verified()).contains("1 lost");
  }

  @Test
  void what_nobody_hears_of_at_all_is_lost() {
    book.lived("c", "e", 0);
    assertThat(verified()).contains("3 lost");
  }

  @Test
  void an_event_told_twice_is_doubled() {
    tellAll();
    tell("exit", "e", 3);
    book.lived("c", "", 137);
    book.lived("c", "e", 3);
    assertThat(verified()).contains("0 lost, 1 doubled");
  }

  @Test
  void another_status_than_the_clients_is_wrong() {
    tellAll();
    book.lived("c", "", 0);
    book.lived("c", "e", 4);
    assertThat(verified()).contains("0 lost, 0 doubled, 2 wrong");
  }

  @Test
  void an_undone_creation_before_is_a_life_of_its_own() {
    tell("exit", "", 137);
    tell("delete", "", 137);
    tellAll();
    book.lived("c", "", 137);
    book.lived("c", "e", 3);
    assertThat(verified()).contains("0 lost, 0 doubled, 0 wrong");
  }

  @Test
  void an_order_that_no_life_has_is_wrong() {
    tell("create", "", 0);
    tell("exit", "", 0);
    tell("start", "", 0);
    tell("delete", "", 0);
    book.lived("c", "", 0);
    assertThat(verified()).contains("1 wrong");
  }

  @Test
  void what_nobody_has_made_is_wrong() {
    tellAll();
    book.lived("c", "", 137);
    assertThat(verified()).contains("1 wrong");
    assertThat(problems.all()).singleElement().asString().contains("c/e").contains("nobody");
  }

  @Test
  void what_may_not_have_begun_owes_nothing() throws InterruptedException {
    book.known("c", "", Certainty.NONE, OptionalInt.empty());
    tell("exec-added", "e", 0);
    book.known("c", "e", Certainty.NONE, OptionalInt.empty());
    assertThat(book.awaitComplete(0)).isTrue();
    assertThat(verified()).contains("0 lost, 0 doubled, 0 wrong");
  }
}
