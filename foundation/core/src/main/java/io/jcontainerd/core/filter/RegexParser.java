package io.jcontainerd.core.filter;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntPredicate;
import java.util.regex.Pattern;

/**
 * Reads the syntax of Go's RE2: <a href="https://github.com/google/re2/wiki/Syntax">syntax</a>.
 * What RE2 does not know (look-around, back references, possessive repetition) is an error here
 * too.
 */
final class RegexParser {
  private static final int END = -1;
  private static final int MAX_REPEAT = 1000;
  private static final int MAX_DEPTH = 200;

  private record Flags(boolean ignoreCase, boolean multiLine, boolean dotAll) {}

  private final String input;
  private int at;
  private int depth;

  /** Whether the last group was a mere change of flags, which cannot be repeated. */
  private boolean flagsOnly;

  private Flags flags = new Flags(false, false, false);

  RegexParser(String input) {
    this.input = input;
  }

  RegexNode parse() throws RegexSyntaxException {
    RegexNode all = choice();
    if (peek() == ')') {
      throw new RegexSyntaxException("unexpected )");
    }
    return all;
  }

  static boolean isWord(int c) {
    return isLetterOrDigit(c) || c == '_';
  }

  private static boolean isLetterOrDigit(int c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  }

  private RegexNode choice() throws RegexSyntaxException {
    if (++depth > MAX_DEPTH) {
      throw new RegexSyntaxException("expression nests too deeply");
    }
    var options = new ArrayList<RegexNode>();
    options.add(sequence());
    while (accept('|')) {
      options.add(sequence());
    }
    depth--;
    return options.size() == 1 ? options.getFirst() : new RegexNode.Choice(List.copyOf(options));
  }

  private RegexNode sequence() throws RegexSyntaxException {
    var parts = new ArrayList<RegexNode>();
    while (peek() != END && peek() != '|' && peek() != ')') {
      if (input.startsWith("\\Q", at)) {
        literal(parts);
        if (parts.isEmpty()) {
          continue;
        }
        parts.add(repeated(parts.removeLast()));
        continue;
      }
      flagsOnly = false;
      RegexNode atom = atom();
      parts.add(flagsOnly ? atom : repeated(atom));
    }
    return new RegexNode.Sequence(List.copyOf(parts));
  }

  /** {@code \Q…\E}: every character stands for itself; an end that is missing is the end of all. */
  private void literal(List<RegexNode> parts) {
    int end = input.indexOf("\\E", at + 2);
    String text = input.substring(at + 2, end < 0 ? input.length() : end);
    at = end < 0 ? input.length() : end + 2;
    text.codePoints().forEach(c -> parts.add(one(c)));
  }

  private RegexNode repeated(RegexNode atom) throws RegexSyntaxException {
    RegexNode result = atom;
    boolean done = false;
    while (true) {
      int min;
      int max;
      int start = at;
      switch (peek()) {
        case '*' -> {
          min = 0;
          max = RegexNode.UNBOUNDED;
          at++;
        }
        case '+' -> {
          min = 1;
          max = RegexNode.UNBOUNDED;
          at++;
        }
        case '?' -> {
          min = 0;
          max = 1;
          at++;
        }
        case '{' -> {
          int[] bounds = bounds();
          if (bounds.length == 0) {
            return result;
          }
          min = bounds[0];
          max = bounds[1];
        }
        default -> {
          return result;
        }
      }
      if (done) {
        throw new RegexSyntaxException(
            "invalid nested repetition operator " + input.substring(start, at));
      }
      done = true;
      accept('?');
      result = new RegexNode.Repeat(result, min, max);
    }
  }

  /** Reads {@code {n}}, {@code {n,}} or {@code {n,m}}; anything else in braces is plain text. */
  private int[] bounds() throws RegexSyntaxException {
    var matcher = BOUNDS.matcher(input).region(at, input.length());
    if (!matcher.lookingAt()) {
      return new int[0];
    }
    int min = Integer.parseInt(matcher.group(1));
    String upper = matcher.group(3);
    int max =
        matcher.group(2) == null
            ? min
            : upper == null || upper.isEmpty() ? RegexNode.UNBOUNDED : Integer.parseInt(upper);
    if (min > MAX_REPEAT || max > MAX_REPEAT || (max != RegexNode.UNBOUNDED && max < min)) {
      throw new RegexSyntaxException("invalid repeat count " + matcher.group());
    }
    at = matcher.end();
    return new int[] {min, max};
  }

  private static final Pattern BOUNDS = Pattern.compile("\\{([0-9]{1,6})(,([0-9]{0,6}))?\\}");

  private RegexNode atom() throws RegexSyntaxException {
    int c = next();
    return switch (c) {
      case '(' -> group();
      case '[' -> new RegexNode.One(set());
      case '.' -> new RegexNode.One(flags.dotAll() ? _ -> true : d -> d != '\n');
      case '^' ->
          new RegexNode.At(
              flags.multiLine() ? RegexNode.Place.LINE_START : RegexNode.Place.TEXT_START);
      case '$' ->
          new RegexNode.At(flags.multiLine() ? RegexNode.Place.LINE_END : RegexNode.Place.TEXT_END);
      case '*', '+', '?' -> throw new RegexSyntaxException("missing argument to repetition");
      case '\\' -> escape();
      default -> one(c);
    };
  }

  private RegexNode one(int c) {
    return new RegexNode.One(folded(d -> d == c, flags.ignoreCase()));
  }

  private static IntPredicate folded(IntPredicate accepts, boolean ignoreCase) {
    if (!ignoreCase) {
      return accepts;
    }
    return d ->
        accepts.test(d)
            || accepts.test(Character.toLowerCase(d))
            || accepts.test(Character.toUpperCase(d))
            || accepts.test(Character.toLowerCase(Character.toUpperCase(d)));
  }

  private RegexNode group() throws RegexSyntaxException {
    Flags outer = flags;
    if (accept('?')) {
      if (input.startsWith("P<", at) || (peek() == '<' && !isLookBehind())) {
        var matcher = GROUP_NAME.matcher(input).region(at, input.length());
        if (!matcher.lookingAt()) {
          throw new RegexSyntaxException("invalid named capture");
        }
        at = matcher.end();
      } else if (flags()) {
        flagsOnly = true;
        return new RegexNode.Sequence(List.of());
      }
    }
    RegexNode body = choice();
    if (!accept(')')) {
      throw new RegexSyntaxException("missing closing )");
    }
    flags = outer;
    flagsOnly = false;
    return body;
  }

  private static final Pattern GROUP_NAME = Pattern.compile("P?<[A-Za-z0-9_]+>");

  private boolean isLookBehind() {
    return input.startsWith("<=", at) || input.startsWith("<!", at);
  }

  /** Reads {@code i-s:} or {@code i-s)}; true if the group ends with that. */
  private boolean flags() throws RegexSyntaxException {
    boolean on = true;
    boolean any = false;
    while (true) {
      int c = next();
      switch (c) {
        case 'i' -> flags = new Flags(on, flags.multiLine(), flags.dotAll());
        case 'm' -> flags = new Flags(flags.ignoreCase(), on, flags.dotAll());
        case 's' -> flags = new Flags(flags.ignoreCase(), flags.multiLine(), on);
        case 'U' -> {} // which of several matches is found makes no difference here
        case '-' -> {
          if (!on) {
            throw new RegexSyntaxException("invalid flags");
          }
          on = false;
          any = false;
          continue;
        }
        case ':', ')' -> {
          if (!on && !any) {
            throw new RegexSyntaxException("invalid flags");
          }
          return c == ')';
        }
        default -> throw new RegexSyntaxException("invalid or unsupported syntax after (?");
      }
      any = true;
    }
  }

  private RegexNode escape() throws RegexSyntaxException {
    Optional<RegexNode> place = place();
    if (place.isPresent()) {
      at++;
      return place.get();
    }
    Optional<IntPredicate> known = namedClass();
    return known.isPresent()
        ? new RegexNode.One(folded(known.get(), flags.ignoreCase()))
        : one(character());
  }

  private Optional<RegexNode> place() {
    return switch (peek()) {
      case 'A' -> Optional.of(new RegexNode.At(RegexNode.Place.TEXT_START));
      case 'z' -> Optional.of(new RegexNode.At(RegexNode.Place.TEXT_END));
      case 'b' -> Optional.of(new RegexNode.At(RegexNode.Place.WORD_EDGE));
      case 'B' -> Optional.of(new RegexNode.At(RegexNode.Place.NO_WORD_EDGE));
      case 'C' -> Optional.of(new RegexNode.One(_ -> true));
      default -> Optional.empty();
    };
  }

  /** Reads {@code d}, {@code W}, {@code pL} and their like after a backslash. */
  private Optional<IntPredicate> namedClass() throws RegexSyntaxException {
    int c = peek();
    IntPredicate found;
    switch (c) {
      case 'd', 'D' -> found = d -> d >= '0' && d <= '9';
      case 's', 'S' -> found = d -> d == ' ' || d == '\t' || d == '\n' || d == '\f' || d == '\r';
      case 'w', 'W' -> found = RegexParser::isWord;
      case 'p', 'P' -> {
        at++;
        IntPredicate property = property();
        return Optional.of(c == 'P' ? property.negate() : property);
      }
      default -> {
        return Optional.empty();
      }
    }
    at++;
    return Optional.of(Character.isUpperCase(c) ? found.negate() : found);
  }

  private IntPredicate property() throws RegexSyntaxException {
    String name;
    if (accept('{')) {
      int end = input.indexOf('}', at);
      if (end < 0) {
        throw new RegexSyntaxException("invalid character class range");
      }
      name = input.substring(at, end);
      at = end + 1;
    } else {
      name = Character.toString(next());
    }
    boolean negated = name.startsWith("^");
    String plain = negated ? name.substring(1) : name;
    if (plain.equals("Any")) {
      return negated ? _ -> false : _ -> true;
    }
    if (!PROPERTY.matcher(plain).matches()) {
      throw new RegexSyntaxException("invalid character class range " + name);
    }
    try {
      String expression = plain.length() <= 2 ? "\\p{" + plain + "}" : "\\p{script=" + plain + "}";
      var matches = Pattern.compile(expression).asMatchPredicate();
      IntPredicate accepts = c -> matches.test(Character.toString(c));
      return negated ? accepts.negate() : accepts;
    } catch (IllegalArgumentException _) {
      throw new RegexSyntaxException("invalid character class range " + name);
    }
  }

  private static final Pattern PROPERTY = Pattern.compile("[A-Z][a-z]?|[A-Z][A-Za-z_]+");

  /** Reads what stands after a backslash for one character. */
  private int character() throws RegexSyntaxException {
    int c = next();
    return switch (c) {
      case 'a' -> 7;
      case 'f' -> '\f';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'v' -> 11;
      case 'x' -> hexadecimal();
      case '0', '1', '2', '3', '4', '5', '6', '7' -> octal(c);
      default -> {
        if (c < 0x80 && !isWord(c)) {
          yield c;
        }
        throw new RegexSyntaxException("invalid escape sequence");
      }
    };
  }

  private int octal(int first) throws RegexSyntaxException {
    if (first != '0' && (peek() < '0' || peek() > '7')) {
      throw new RegexSyntaxException("invalid escape sequence");
    }
    int value = first - '0';
    for (int i = 0; i < 2 && peek() >= '0' && peek() <= '7'; i++) {
      value = value * 8 + next() - '0';
    }
    return value;
  }

  private int hexadecimal() throws RegexSyntaxException {
    var matcher = HEXADECIMAL.matcher(input).region(at, input.length());
    if (!matcher.lookingAt()) {
      throw new RegexSyntaxException("invalid escape sequence");
    }
    at = matcher.end();
    String digits = matcher.group(1) == null ? matcher.group(2) : matcher.group(1);
    int value = Integer.parseInt(digits, 16);
    if (value > Character.MAX_CODE_POINT) {
      throw new RegexSyntaxException("invalid escape sequence");
    }
    return value;
  }

  private static final Pattern HEXADECIMAL =
      Pattern.compile("([0-9A-Fa-f]{2})|\\{([0-9A-Fa-f]{1,7})\\}");

  /** Reads a set in square brackets, whose first bracket is behind us. */
  private IntPredicate set() throws RegexSyntaxException {
    boolean negated = accept('^');
    IntPredicate accepts = _ -> false;
    boolean first = true;
    while (first || peek() != ']') {
      if (peek() == END) {
        throw new RegexSyntaxException("missing closing ]");
      }
      if (peek() == '-' && !first && at + 1 < input.length() && input.charAt(at + 1) != ']') {
        throw new RegexSyntaxException("invalid character class range");
      }
      first = false;
      accepts = accepts.or(item());
    }
    at++;
    IntPredicate result = folded(accepts, flags.ignoreCase());
    return negated ? result.negate() : result;
  }

  private IntPredicate item() throws RegexSyntaxException {
    if (input.startsWith("[:", at)) {
      int end = input.indexOf(":]", at + 2);
      if (end >= 0) {
        IntPredicate named = posix(input.substring(at + 2, end));
        at = end + 2;
        return named;
      }
    }
    if (peek() == '\\') {
      at++;
      Optional<IntPredicate> known = namedClass();
      if (known.isPresent()) {
        return known.get();
      }
      at--;
    }
    int low = setCharacter();
    if (peek() != '-' || at + 1 >= input.length() || input.charAt(at + 1) == ']') {
      return c -> c == low;
    }
    at++;
    int high = setCharacter();
    if (high < low) {
      throw new RegexSyntaxException("invalid character class range");
    }
    return c -> c >= low && c <= high;
  }

  private int setCharacter() throws RegexSyntaxException {
    int c = next();
    return c == '\\' ? character() : c;
  }

  private static IntPredicate posix(String name) throws RegexSyntaxException {
    boolean negated = name.startsWith("^");
    IntPredicate accepts =
        switch (negated ? name.substring(1) : name) {
          case "alnum" -> RegexParser::isLetterOrDigit;
          case "alpha" -> c -> isLetterOrDigit(c) && !(c >= '0' && c <= '9');
          case "ascii" -> c -> c < 0x80;
          case "blank" -> c -> c == ' ' || c == '\t';
          case "cntrl" -> c -> c < 0x20 || c == 0x7f;
          case "digit" -> c -> c >= '0' && c <= '9';
          case "graph" -> c -> c > ' ' && c < 0x7f;
          case "lower" -> c -> c >= 'a' && c <= 'z';
          case "print" -> c -> c >= ' ' && c < 0x7f;
          case "punct" -> c -> c > ' ' && c < 0x7f && !isLetterOrDigit(c);
          case "space" -> c -> c == ' ' || (c >= '\t' && c <= '\r');
          case "upper" -> c -> c >= 'A' && c <= 'Z';
          case "word" -> RegexParser::isWord;
          case "xdigit" ->
              c -> (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
          default -> throw new RegexSyntaxException("invalid character class range " + name);
        };
    return negated ? accepts.negate() : accepts;
  }

  private int peek() {
    return at < input.length() ? input.codePointAt(at) : END;
  }

  private int next() throws RegexSyntaxException {
    int c = peek();
    if (c == END) {
      throw new RegexSyntaxException("unexpected end of expression");
    }
    at += Character.charCount(c);
    return c;
  }

  private boolean accept(char wanted) {
    boolean there = peek() == wanted;
    if (there) {
      at++;
    }
    return there;
  }
}
