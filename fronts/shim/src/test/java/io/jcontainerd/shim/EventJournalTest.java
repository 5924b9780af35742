package io.jcontainerd.shim;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.events.Event;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EventJournalTest {
  @TempDir Path folder;

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  private static String next(EventJournal journal) throws IOException, InterruptedException {
    return new String(journal.next().bytes(), UTF_8);
  }

  @Test
  void messages_come_out_in_order_and_stay_until_they_are_taken() throws Exception {
    try (EventJournal journal = EventJournal.open(folder)) {
      journal.add(bytes("one"));
      journal.add(bytes("two"));
      assertThat(next(journal)).isEqualTo("one");
      assertThat(next(journal)).isEqualTo("one");
      journal.take();
      assertThat(next(journal)).isEqualTo("two");
      assertThat(journal.isEmpty()).isFalse();
      journal.take();
      assertThat(journal.awaitEmpty(0)).isTrue();
    }
  }

  @Test
  void what_was_not_taken_is_there_after_a_restart_and_what_was_is_not() throws Exception {
    try (EventJournal journal = EventJournal.open(folder)) {
      journal.add(bytes("one"));
      journal.add(bytes("two"));
      journal.take();
    }
    try (EventJournal journal = EventJournal.open(folder)) {
      journal.add(bytes("three"));
      assertThat(next(journal)).isEqualTo("two");
      journal.take();
      assertThat(next(journal)).isEqualTo("three");
    }
  }

  @Test
  void who_adds_knows_before_which_message_it_will_be_and_the_journal_whether_it_came()
      throws Exception {
    List<Event.Origin> announced = new ArrayList<>();
    Event.Origin next;
    try (EventJournal journal = EventJournal.open(folder)) {
      journal.add(bytes("one"));
      journal.add(
          bytes("two"),
          origin -> {
            announced.add(origin);
            assertThat(journal.wasAdded(origin)).isFalse();
          });
      assertThat(announced).containsExactly(new Event.Origin(journal.id(), 2));
      assertThat(journal.wasAdded(announced.getFirst())).isTrue();
      next = new Event.Origin(journal.id(), 3);
      assertThat(journal.wasAdded(next)).isFalse();
      journal.take();
      journal.take();
    }
    try (EventJournal journal = EventJournal.open(folder)) {
      assertThat(journal.wasAdded(announced.getFirst())).as("and was taken").isTrue();
      assertThat(journal.wasAdded(next)).isFalse();
      assertThat(journal.wasAdded(new Event.Origin("another", 1))).isFalse();
    }
  }

  @Test
  void what_cannot_be_written_waits_in_memory_and_keeps_its_place() throws Exception {
    Files.createSymbolicLink(folder.resolve("journal"), Path.of("/dev/full"));
    try (EventJournal journal = EventJournal.open(folder)) {
      assertThat(journal.add(bytes("one"))).isFalse();
      assertThat(journal.add(bytes("two"))).isFalse();
      assertThat(journal.isEmpty()).isFalse();
      assertThat(next(journal)).isEqualTo("one");
      journal.take();
      assertThat(next(journal)).isEqualTo("two");
      journal.take();
      assertThat(journal.awaitEmpty(0)).isTrue();
    }
  }

  @Test
  void a_torn_end_is_cut_wherever_it_was_torn() throws Exception {
    try (EventJournal journal = EventJournal.open(folder)) {
      journal.add(bytes("whole"));
    }
    Path file = folder.resolve("journal");
    byte[] whole = Files.readAllBytes(file);
    try (EventJournal journal = EventJournal.open(folder)) {
      journal.add(bytes("torn message"));
    }
    byte[] both = Files.readAllBytes(file);
    for (int length = whole.length; length < both.length; length++) {
      Files.write(file, Arrays.copyOf(both, length));
      try (EventJournal journal = EventJournal.open(folder)) {
        assertThat(next(journal)).isEqualTo("whole");
        journal.add(bytes("after"));
      }
      try (EventJournal journal = EventJournal.open(folder)) {
        assertThat(next(journal)).isEqualTo("whole");
        assertThat(Files.size(file)).isEqualTo(whole.length + 16 + "after".length());
      }
    }
  }

  private static long take(EventJournal journal) throws Exception {
    EventJournal.Message next = journal.next();
    assertThat(journal.isNumberKept(next)).isTrue();
    journal.take();
    return next.number();
  }

  @Test
  void a_message_has_a_number_that_no_other_ever_has() throws Exception {
    String id;
    try (EventJournal journal = EventJournal.open(folder)) {
      id = journal.id();
      journal.add(bytes("one"));
      journal.add(bytes("two"));
      assertThat(take(journal)).isEqualTo(1);
    }
    try (EventJournal journal = EventJournal.open(folder)) {
      assertThat(journal.id()).isEqualTo(id);
      assertThat(journal.next().number()).isEqualTo(2);
      assertThat(take(journal)).isEqualTo(2);
    }
    // as after the death in the middle of a cut
    Files.write(folder.resolve("journal"), new byte[0], StandardOpenOption.TRUNCATE_EXISTING);
    try (EventJournal journal = EventJournal.open(folder)) {
      for (int i = 0; i < 20; i++) {
        journal.add(new byte[100_000]);
        assertThat(take(journal)).isEqualTo(3 + i);
      }
    }
    try (EventJournal journal = EventJournal.open(folder)) {
      journal.add(bytes("more"));
      assertThat(take(journal)).isEqualTo(23);
    }
  }

  @Test
  void a_message_that_was_handed_out_from_memory_and_lost_has_its_number_for_ever()
      throws Exception {
    Path file = folder.resolve("journal");
    Files.createSymbolicLink(file, Path.of("/dev/full"));
    try (EventJournal journal = EventJournal.open(folder)) {
      assertThat(journal.add(bytes("lost"))).isFalse();
      EventJournal.Message lost = journal.next();
      assertThat(lost.number()).isEqualTo(1);
      assertThat(journal.isNumberKept(lost)).isTrue();
    }
    Files.delete(file);
    try (EventJournal journal = EventJournal.open(folder)) {
      journal.add(bytes("next"));
      assertThat(take(journal)).isEqualTo(2);
    }
  }

  @Test
  void a_damaged_message_ends_the_journal_there() throws Exception {
    try (EventJournal journal = EventJournal.open(folder)) {
      journal.add(bytes("whole"));
      journal.add(bytes("damaged"));
    }
    Path file = folder.resolve("journal");
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length - 1] ^= 1;
    Files.write(file, bytes);
    try (EventJournal journal = EventJournal.open(folder)) {
      assertThat(next(journal)).isEqualTo("whole");
      journal.take();
      assertThat(journal.isEmpty()).isTrue();
    }
  }

  @Test
  void a_mark_beyond_the_journal_means_a_journal_that_was_begun_anew() throws Exception {
    try (EventJournal journal = EventJournal.open(folder)) {
      journal.add(bytes("old"));
      journal.take();
    }
    Files.write(folder.resolve("journal"), new byte[0], StandardOpenOption.TRUNCATE_EXISTING);
    try (EventJournal journal = EventJournal.open(folder)) {
      assertThat(journal.isEmpty()).isTrue();
      journal.add(bytes("new"));
      assertThat(next(journal)).isEqualTo("new");
    }
  }

  @Test
  void a_long_journal_begins_anew_when_everything_is_taken() throws Exception {
    try (EventJournal journal = EventJournal.open(folder)) {
      for (int i = 0; i < 20; i++) {
        journal.add(new byte[100_000]);
        journal.take();
      }
      assertThat(Files.size(folder.resolve("journal"))).isLessThan(1_300_000);
      journal.add(bytes("last"));
      assertThat(next(journal)).isEqualTo("last");
    }
  }
}
