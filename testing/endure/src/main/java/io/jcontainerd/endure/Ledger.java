package io.jcontainerd.endure;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a daemon was asked for and what it answered, in a file that survives what the daemon must
 * survive: every line is forced before the call that it announces, or before anybody relies on the
 * answer that it tells.
 *
 * <pre>
 * begin KEY VALUE    somebody asks for the value now
 * done KEY           the answer came: it is the value
 * settle KEY VALUE   it was looked at: it is the value
 * note TEXT
 * </pre>
 *
 * <p>Fields are parted by tabs; the empty value is absence. A last line without its end was never
 * relied on and is cut off. Safe for many threads; a key has one thread that changes it.
 */
final class Ledger implements AutoCloseable {
  /**
   * What is known of a key.
   *
   * @param value what was promised last; empty for absence
   * @param pending what was asked for and not answered
   */
  record Known(String value, @Nullable String pending) {
    static final Known NOTHING = new Known("", null);

    /** Whether it can be so. */
    boolean allows(String found) {
      return found.equals(value) || found.equals(pending);
    }

    /** Whether it is promised and nobody has asked for anything else. */
    boolean surely(String wanted) {
      return pending == null && value.equals(wanted);
    }

    @Override
    public String toString() {
      return shown(value) + (pending == null ? "" : ", or " + shown(pending) + " (not answered)");
    }

    private static String shown(String value) {
      return value.isEmpty() ? "absent" : "'" + value + "'";
    }
  }

  private final FileChannel file;
  private final SortedMap<String, Known> known = new TreeMap<>();
  private final List<String> notes = new ArrayList<>();
  private long lines;

  private Ledger(FileChannel file) {
    this.file = file;
  }

  /** Opens a ledger, with all that stands in it; a new one if there is none. */
  static Ledger open(Path path) throws IOException {
    byte[] bytes = Files.exists(path) ? Files.readAllBytes(path) : new byte[0];
    int end = bytes.length;
    while (end > 0 && bytes[end - 1] != '\n') {
      end--;
    }
    FileChannel file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    file.truncate(end);
    file.position(end);
    Ledger ledger = new Ledger(file);
    new String(bytes, 0, end, UTF_8).lines().forEach(ledger::take);
    return ledger;
  }

  private void take(String line) {
    lines++;
    String[] fields = line.split("\t", -1);
    switch (fields[0]) {
      case "begin" -> known.put(fields[1], new Known(get(fields[1]).value(), fields[2]));
      case "done" -> {
        String pending = get(fields[1]).pending();
        set(fields[1], pending == null ? get(fields[1]).value() : pending);
      }
      case "settle" -> set(fields[1], fields[2]);
      case "note" -> notes.add(fields[1]);
      default -> throw new IllegalArgumentException("no line of a ledger: " + line);
    }
  }

  private void set(String key, String value) {
    if (value.isEmpty()) {
      known.remove(key);
    } else {
      known.put(key, new Known(value, null));
    }
  }

  private Known get(String key) {
    return known.getOrDefault(key, Known.NOTHING);
  }

  private synchronized void write(String line) {
    if (line.indexOf('\n') >= 0) {
      throw new IllegalArgumentException("more than a line: " + line);
    }
    try {
      ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(UTF_8));
      while (bytes.hasRemaining()) {
        file.write(bytes);
      }
      file.force(false);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    take(line);
  }

  /** Somebody asks for the value now. */
  void begin(String key, String value) {
    write("begin\t" + key + "\t" + value);
  }

  /** What was asked for last was answered. */
  void done(String key) {
    write("done\t" + key);
  }

  /** The value is known without a question, or because it was looked at. */
  void settle(String key, String value) {
    if (!known(key).surely(value)) {
      write("settle\t" + key + "\t" + value);
    }
  }

  /** A remark that stays. */
  void note(String text) {
    write("note\t" + text.replaceAll("\\s+", " "));
  }

  /** Asks for the value by the call and tells the answer. A call that fails leaves it open. */
  <T> T promise(String key, String value, Supplier<T> call) {
    begin(key, value);
    T answer = call.get();
    done(key);
    return answer;
  }

  /** Likewise. */
  void promise(String key, String value, Runnable call) {
    begin(key, value);
    call.run();
    done(key);
  }

  synchronized Known known(String key) {
    return get(key);
  }

  /** How much stands in it. */
  synchronized long lines() {
    return lines;
  }

  /** All keys that begin so and are not surely absent. */
  synchronized Map<String, Known> under(String prefix) {
    return new TreeMap<>(known.subMap(prefix, prefix + Character.MAX_VALUE));
  }

  /** The remarks that begin so, without that. */
  synchronized List<String> notes(String prefix) {
    return notes.stream()
        .filter(n -> n.startsWith(prefix))
        .map(n -> n.substring(prefix.length()))
        .toList();
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
