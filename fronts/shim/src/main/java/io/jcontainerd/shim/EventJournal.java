package io.jcontainerd.shim;

import io.jcontainerd.core.events.Event;
import java.io.EOFException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/**
 * Messages in the order in which they were added, kept in a file until they are taken, so that
 * neither a daemon that is away nor the death of this host loses one. Each has a number that no
 * other message of the journal ever has, by which who takes it knows it again. Safe for one adding
 * and one taking thread at a time; both are told apart by the file offsets they own.
 *
 * <p>File {@code journal}: for each message its length (4 bytes, big endian), the CRC-32C of its
 * number and bytes (4 bytes), its number (8 bytes) and the bytes. File {@code taken}: the offset in
 * the journal up to which messages were taken (8 bytes), and a number that is larger than those of
 * all messages that are not in the journal any more (8 bytes). File {@code id}: names the journal.
 * All last for one boot only and are not forced. A journal whose end is torn is cut there; when
 * everything is taken and it is long, it starts anew.
 *
 * <p>While the file cannot be written, as on a full disk, messages wait in memory; they are handed
 * out in their turn, or written before the next one that can be.
 */
final class EventJournal implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(EventJournal.class.getName());
  private static final Pattern ID = Pattern.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
  private static final int HEADER = 16;
  private static final long LONG = 1024 * 1024;
  private static final int MAX_MESSAGE = 4 * 1024 * 1024;
  private static final int MOST_UNWRITTEN = 4096;

  private final String id;
  private final RandomAccessFile journal;
  private final RandomAccessFile mark;
  private long end;
  private long taken;
  private long nextNumber = 1;
  private long keptNumber; // what the mark says

  /** Later than everything in the file. */
  private final Deque<Message> unwritten = new ArrayDeque<>();

  /**
   * A message.
   *
   * @param number counts from 1
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Message(long number, byte[] bytes) {}

  private EventJournal(String id, RandomAccessFile journal, RandomAccessFile mark) {
    this.id = id;
    this.journal = journal;
    this.mark = mark;
  }

  /** Opens the journal in a folder, which is made if it is missing. */
  static EventJournal open(Path folder) throws IOException {
    Files.createDirectories(folder);
    String id = id(folder.resolve("id"));
    RandomAccessFile journal = new RandomAccessFile(folder.resolve("journal").toFile(), "rw");
    try {
      RandomAccessFile mark = new RandomAccessFile(folder.resolve("taken").toFile(), "rw");
      try {
        EventJournal opened = new EventJournal(id, journal, mark);
        opened.recover();
        return opened;
      } catch (IOException e) {
        mark.close();
        throw e;
      }
    } catch (IOException e) {
      journal.close();
      throw e;
    }
  }

  private static String id(Path file) throws IOException {
    if (Files.exists(file)) {
      String kept = Files.readString(file).strip();
      if (ID.matcher(kept).matches()) {
        return kept;
      }
      LOG.log(Level.WARNING, "event journal: \"{0}\" is no name", kept);
    }
    String made = UUID.randomUUID().toString();
    try {
      Files.writeString(file, made);
    } catch (IOException e) { // lasts no longer than this host then, and is nobody else's
      LOG.log(Level.ERROR, "event journal: its name cannot be kept", e);
    }
    return made;
  }

  /** Names the journal among all that there ever were. */
  String id() {
    return id;
  }

  private synchronized void recover() throws IOException {
    if (mark.length() == 2 * Long.BYTES) {
      taken = mark.readLong();
      nextNumber = mark.readLong();
    }
    if (taken > journal.length()) {
      taken = 0; // died between the cut of the journal and that of the mark
    }
    end = taken;
    for (Optional<Message> next = at(end, journal.length());
        next.isPresent();
        next = at(end, journal.length())) {
      end += HEADER + next.get().bytes().length;
      nextNumber = Math.max(nextNumber, next.get().number() + 1);
    }
    if (end < journal.length()) {
      LOG.log(Level.WARNING, "event journal: {0} torn bytes cut", journal.length() - end);
      journal.setLength(end);
    }
    keepMark(); // has its room on the disk from now on
  }

  /** Adds a message, as {@link #add(byte[], Consumer)} does. */
  boolean add(byte[] message) throws IOException {
    return add(message, _ -> {});
  }

  /**
   * Adds a message.
   *
   * @param before told of which one it will be, while no other can be added; must not fail
   * @return whether it is in the file; else only in memory
   * @throws IOException if it was not added, for too many are in memory already
   */
  synchronized boolean add(byte[] message, Consumer<Event.Origin> before) throws IOException {
    if (unwritten.size() >= MOST_UNWRITTEN) {
      throw new IOException("event journal: cannot be written, and " + MOST_UNWRITTEN + " wait");
    }
    before.accept(new Event.Origin(id, nextNumber));
    unwritten.add(new Message(nextNumber, message));
    nextNumber++;
    notifyAll();
    try {
      while (!unwritten.isEmpty()) {
        write(unwritten.getFirst());
        unwritten.removeFirst();
      }
      return true;
    } catch (IOException e) {
      LOG.log(Level.ERROR, "event journal: cannot be written, " + unwritten.size() + " wait", e);
      return false;
    }
  }

  /** Whether a message was added, now or by an earlier host, taken or not. */
  synchronized boolean wasAdded(Event.Origin origin) {
    return origin.teller().equals(id) && origin.sequence() < nextNumber;
  }

  private void write(Message message) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(HEADER + message.bytes().length);
    bytes
        .putInt(message.bytes().length)
        .putInt(checksum(message))
        .putLong(message.number())
        .put(message.bytes());
    try {
      journal.seek(end);
      journal.write(bytes.array());
    } catch (IOException e) {
      try {
        journal.setLength(end);
      } catch (IOException second) { // what is torn will be overwritten, or cut at the next start
        e.addSuppressed(second);
      }
      throw e;
    }
    end += bytes.capacity();
  }

  /** The first message that was not taken; the sender waits here for one, until it is ended. */
  synchronized Message next() throws IOException, InterruptedException {
    while (isEmpty()) {
      wait();
    }
    if (taken == end) {
      Message first = unwritten.getFirst();
      if (first.number() >= keptNumber) {
        keepMark(); // should this host die, its number is not given to another
      }
      return first;
    }
    return at(taken, end)
        .orElseThrow(() -> new IOException("event journal: unreadable at offset " + taken));
  }

  /** The first message was delivered. */
  synchronized void take() throws IOException {
    notifyAll();
    if (taken == end) {
      unwritten.removeFirst();
      return;
    }
    Message first =
        at(taken, end)
            .orElseThrow(() -> new IOException("event journal: unreadable at offset " + taken));
    taken += HEADER + first.bytes().length;
    keepMark();
    if (taken == end && end > LONG && keptNumber == nextNumber) {
      journal.setLength(0);
      taken = 0;
      end = 0;
      keepMark();
    }
  }

  /** Whether the number of a message is its own though this host should die now. */
  synchronized boolean isNumberKept(Message message) {
    return taken != end || message.number() < keptNumber;
  }

  /**
   * A mark that is not kept costs nothing but that the next host hands out again what was taken.
   */
  private void keepMark() {
    ByteBuffer bytes = ByteBuffer.allocate(2 * Long.BYTES).putLong(taken).putLong(nextNumber);
    try {
      mark.seek(0);
      mark.write(bytes.array());
      keptNumber = nextNumber;
    } catch (IOException e) {
      LOG.log(Level.ERROR, "event journal: the mark of what is taken cannot be written", e);
    }
  }

  /** Waits until everything is taken; false if that takes too long. */
  synchronized boolean awaitEmpty(long millis) throws InterruptedException {
    long deadline = System.nanoTime() + millis * 1_000_000;
    while (!isEmpty()) {
      long left = (deadline - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        return false;
      }
      wait(left);
    }
    return true;
  }

  /** Whether everything is taken. */
  synchronized boolean isEmpty() {
    return taken == end && unwritten.isEmpty();
  }

  private Optional<Message> at(long offset, long limit) throws IOException {
    if (offset + HEADER > limit) {
      return Optional.empty();
    }
    try {
      journal.seek(offset);
      int length = journal.readInt();
      int checksum = journal.readInt();
      if (length < 0 || length > MAX_MESSAGE || offset + HEADER + length > limit) {
        return Optional.empty();
      }
      long number = journal.readLong();
      byte[] bytes = new byte[length];
      journal.readFully(bytes);
      Message message = new Message(number, bytes);
      return checksum(message) == checksum ? Optional.of(message) : Optional.empty();
    } catch (EOFException e) {
      return Optional.empty();
    }
  }

  private static int checksum(Message message) {
    CRC32C crc = new CRC32C();
    crc.update(ByteBuffer.allocate(Long.BYTES).putLong(message.number()).flip());
    crc.update(message.bytes());
    return (int) crc.getValue();
  }

  @Override
  public synchronized void close() throws IOException {
    try {
      journal.close();
    } finally {
      mark.close();
    }
  }
}
