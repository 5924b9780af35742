package io.jcontainerd.shim;

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
import java.util.zip.CRC32C;

/**
 * Messages in the order in which they were added, kept in a file until they are taken, so that
 * neither a daemon that is away nor the death of this host loses one. Safe for one adding and one
 * taking thread at a time; both are told apart by the file offsets they own.
 *
 * <p>File {@code journal}: for each message its length (4 bytes, big endian), the CRC-32C of its
 * bytes (4 bytes) and the bytes. File {@code taken}: the offset in the journal up to which messages
 * were taken (8 bytes). Both last for one boot only and are not forced. A journal whose end is torn
 * is cut there; when everything is taken and it is long, it starts anew.
 *
 * <p>While the file cannot be written, as on a full disk, messages wait in memory; they are handed
 * out in their turn, or written before the next one that can be.
 */
final class EventJournal implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(EventJournal.class.getName());
  private static final int HEADER = 8;
  private static final long LONG = 1024 * 1024;
  private static final int MAX_MESSAGE = 4 * 1024 * 1024;
  private static final int MOST_UNWRITTEN = 4096;

  private final RandomAccessFile journal;
  private final RandomAccessFile mark;
  private long end;
  private long taken;

  /** Later than everything in the file. */
  private final Deque<byte[]> unwritten = new ArrayDeque<>();

  private EventJournal(RandomAccessFile journal, RandomAccessFile mark) {
    this.journal = journal;
    this.mark = mark;
  }

  /** Opens the journal in a folder, which is made if it is missing. */
  static EventJournal open(Path folder) throws IOException {
    Files.createDirectories(folder);
    RandomAccessFile journal = new RandomAccessFile(folder.resolve("journal").toFile(), "rw");
    try {
      RandomAccessFile mark = new RandomAccessFile(folder.resolve("taken").toFile(), "rw");
      try {
        EventJournal opened = new EventJournal(journal, mark);
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

  private synchronized void recover() throws IOException {
    taken = mark.length() == Long.BYTES ? mark.readLong() : 0;
    if (taken > journal.length()) {
      taken = 0; // died between the cut of the journal and that of the mark
    }
    end = taken;
    for (Optional<byte[]> next = at(end, journal.length());
        next.isPresent();
        next = at(end, journal.length())) {
      end += HEADER + next.get().length;
    }
    if (end < journal.length()) {
      LOG.log(Level.WARNING, "event journal: {0} torn bytes cut", journal.length() - end);
      journal.setLength(end);
    }
    keepMark(); // has its room on the disk from now on
  }

  /**
   * Adds a message.
   *
   * @return whether it is in the file; else only in memory
   * @throws IOException if it was not added, for too many are in memory already
   */
  synchronized boolean add(byte[] message) throws IOException {
    if (unwritten.size() >= MOST_UNWRITTEN) {
      throw new IOException("event journal: cannot be written, and " + MOST_UNWRITTEN + " wait");
    }
    unwritten.add(message);
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

  private void write(byte[] message) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(HEADER + message.length);
    bytes.putInt(message.length).putInt(checksum(message)).put(message);
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

  /** The first message that was not taken, waiting for one. */
  synchronized byte[] next() throws IOException, InterruptedException {
    while (isEmpty()) {
      wait();
    }
    if (taken == end) {
      return unwritten.getFirst();
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
    byte[] first =
        at(taken, end)
            .orElseThrow(() -> new IOException("event journal: unreadable at offset " + taken));
    taken += HEADER + first.length;
    if (taken == end && end > LONG) {
      journal.setLength(0);
      taken = 0;
      end = 0;
    }
    keepMark();
  }

  /**
   * A mark that is not kept costs nothing but that the next host hands out again what was taken.
   */
  private void keepMark() {
    try {
      mark.seek(0);
      mark.writeLong(taken);
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

  private Optional<byte[]> at(long offset, long limit) throws IOException {
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
      byte[] message = new byte[length];
      journal.readFully(message);
      return checksum(message) == checksum ? Optional.of(message) : Optional.empty();
    } catch (EOFException e) {
      return Optional.empty();
    }
  }

  private static int checksum(byte[] message) {
    CRC32C crc = new CRC32C();
    crc.update(message);
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
