package io.jcontainerd.daemon.cli;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Options and words of one level of a command line, in the manner of the programs that call
 * containerd: {@code --name value}, {@code --name=value}, the same with one dash, and one-letter
 * names. Parsing stops at the first word that is no option; what follows belongs to the command of
 * that name.
 *
 * @param values of options by their long name
 * @param rest from the first word on
 */
record Arguments(Map<String, String> values, List<String> rest) {
  /**
   * An option.
   *
   * @param letter its one-letter name; empty for none
   * @param flag whether it stands alone, without a value
   */
  record Option(String name, String letter, boolean flag, String help) {}

  static Arguments parse(List<String> words, List<Option> options) {
    var values = new HashMap<String, String>();
    int next = 0;
    while (next < words.size()) {
      String word = words.get(next);
      if (!word.startsWith("-") || word.equals("-")) {
        break;
      }
      next++;
      if (word.equals("--")) {
        break;
      }
      String body = word.substring(word.startsWith("--") ? 2 : 1);
      int equals = body.indexOf('=');
      String name = equals < 0 ? body : body.substring(0, equals);
      Option option =
          find(name, options).orElseThrow(() -> new UsageException("unknown option " + word));
      if (option.flag()) {
        values.put(option.name(), equals < 0 ? "true" : body.substring(equals + 1));
      } else if (equals >= 0) {
        values.put(option.name(), body.substring(equals + 1));
      } else if (next < words.size()) {
        values.put(option.name(), words.get(next++));
      } else {
        throw new UsageException("option " + word + " needs a value");
      }
    }
    return new Arguments(values, List.copyOf(words.subList(next, words.size())));
  }

  private static Optional<Option> find(String name, List<Option> options) {
    return options.stream()
        .filter(option -> option.name().equals(name) || option.letter().equals(name))
        .filter(_ -> !name.isEmpty())
        .findFirst();
  }

  Optional<String> value(String name) {
    return Optional.ofNullable(values.get(name));
  }

  boolean flag(String name) {
    return value(name).map(text -> !text.equals("false")).orElse(false);
  }

  /** The options as help prints them, one a line. */
  static List<String> help(List<Option> options) {
    var lines = new ArrayList<String>();
    for (Option option : options) {
      String names =
          (option.letter().isEmpty() ? "    " : "-" + option.letter() + ", ")
              + "--"
              + option.name();
      String value = option.flag() ? "" : " VALUE";
      lines.add(String.format("  %-24s %s", names + value, option.help()));
    }
    return lines;
  }
}
