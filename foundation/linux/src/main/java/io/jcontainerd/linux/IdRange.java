package io.jcontainerd.linux;

import java.util.ArrayList;
import java.util.List;

/**
 * A run of user or group ids as seen inside a user namespace and outside (user_namespaces(7)).
 *
 * @param inside first id inside
 * @param outside first id outside
 * @param count how many
 */
public record IdRange(long inside, long outside, long count) {

  private static final long LIMIT = 1L << 32;

  /** Refuses what the kernel would. */
  public IdRange {
    if (inside < 0
        || outside < 0
        || count < 1
        || inside + count > LIMIT
        || outside + count > LIMIT) {
      throw new IllegalArgumentException(
          "id mapping " + inside + ":" + outside + ":" + count + " is out of range");
    }
  }

  /**
   * Reads {@code inside:outside:count}, several separated by commas.
   *
   * @throws IllegalArgumentException if the text is none
   */
  public static List<IdRange> parse(String text) {
    List<IdRange> ranges = new ArrayList<>();
    for (String part : text.split(",", -1)) {
      String[] numbers = part.split(":", -1);
      if (numbers.length != 3) {
        throw new IllegalArgumentException("id mapping \"" + text + "\" is malformed");
      }
      try {
        ranges.add(
            new IdRange(
                Long.parseLong(numbers[0]),
                Long.parseLong(numbers[1]),
                Long.parseLong(numbers[2])));
      } catch (NumberFormatException e) {
        throw new IllegalArgumentException("id mapping \"" + text + "\" is malformed", e);
      }
    }
    return ranges;
  }

  /** The line of {@code uid_map}. */
  String line() {
    return inside + " " + outside + " " + count + "\n";
  }
}
