package io.jcontainerd.core.filter;

import java.util.List;
import java.util.function.IntPredicate;

/** A parsed expression. Groups leave no trace: only whether something matches is ever asked. */
sealed interface RegexNode {
  int UNBOUNDED = -1;

  /** One code point. */
  record One(IntPredicate accepts) implements RegexNode {}

  /** A place between code points. */
  record At(Place place) implements RegexNode {}

  record Sequence(List<RegexNode> parts) implements RegexNode {}

  record Choice(List<RegexNode> options) implements RegexNode {}

  record Repeat(RegexNode body, int min, int max) implements RegexNode {}

  /** The conditions that consume nothing. */
  enum Place {
    TEXT_START,
    TEXT_END,
    LINE_START,
    LINE_END,
    WORD_EDGE,
    NO_WORD_EDGE;

    boolean holds(int[] text, int at) {
      return switch (this) {
        case TEXT_START -> at == 0;
        case TEXT_END -> at == text.length;
        case LINE_START -> at == 0 || text[at - 1] == '\n';
        case LINE_END -> at == text.length || text[at] == '\n';
        case WORD_EDGE -> isWordEdge(text, at);
        case NO_WORD_EDGE -> !isWordEdge(text, at);
      };
    }

    private static boolean isWordEdge(int[] text, int at) {
      boolean before = at > 0 && RegexParser.isWord(text[at - 1]);
      boolean after = at < text.length && RegexParser.isWord(text[at]);
      return before != after;
    }
  }
}
