package io.jcontainerd.core.filter;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.IntPredicate;

/**
 * A regular expression in the syntax of Go's RE2, which clients write. {@code java.util.regex}
 * reads some of that syntax with another meaning, and may take exponential time on a filter that
 * anybody on the socket can send. This one runs all alternatives side by side: its time is the
 * product of the sizes of expression and text at worst, and its stack does not grow with the text.
 */
final class Regex {
  /** One step of the compiled program. */
  private sealed interface Step {
    /** Consumes one code point. */
    record Consume(IntPredicate accepts) implements Step {}

    /** Goes on here if the place in the text fits. */
    record Check(RegexNode.Place place) implements Step {}

    /** Goes on at both addresses. */
    record Split(int first, int second) implements Step {}

    record Jump(int target) implements Step {}

    record Found() implements Step {}
  }

  /** Larger programs are refused; repetitions of repetitions grow quickly. */
  private static final int MAX_STEPS = 20_000;

  private static final int MAX_EMITTED = 10 * MAX_STEPS;

  private final List<Step> program = new ArrayList<>();
  private int emitted; // nodes, since one without a step may be repeated too

  private Regex(RegexNode root) throws RegexSyntaxException {
    emit(root);
    add(new Step.Found());
  }

  /** The compiled expression, or nothing if it is not one. */
  static Optional<Regex> compile(String expression) {
    try {
      return Optional.of(new Regex(new RegexParser(expression).parse()));
    } catch (RegexSyntaxException _) {
      return Optional.empty();
    }
  }

  /** Whether some part of the text matches. */
  boolean find(String text) {
    int[] codePoints = text.codePoints().toArray();
    var run = new Run(codePoints);
    for (int at = 0; at <= codePoints.length; at++) {
      if (run.reach(0, at)) {
        return true;
      }
      if (at < codePoints.length && run.consume(at)) {
        return true;
      }
    }
    return false;
  }

  private void add(Step step) throws RegexSyntaxException {
    if (program.size() >= MAX_STEPS) {
      throw new RegexSyntaxException("expression too large");
    }
    program.add(step);
  }

  private void emit(RegexNode node) throws RegexSyntaxException {
    emitted++;
    if (emitted > MAX_EMITTED) {
      throw new RegexSyntaxException("expression too large");
    }
    switch (node) {
      case RegexNode.One(var accepts) -> add(new Step.Consume(accepts));
      case RegexNode.At(var place) -> add(new Step.Check(place));
      case RegexNode.Sequence(var parts) -> {
        for (RegexNode part : parts) {
          emit(part);
        }
      }
      case RegexNode.Choice(var options) -> emitChoice(options);
      case RegexNode.Repeat(var body, var min, var max) -> emitRepeat(body, min, max);
    }
  }

  private void emitChoice(List<RegexNode> options) throws RegexSyntaxException {
    var jumps = new ArrayList<Integer>();
    for (RegexNode option : options.subList(0, options.size() - 1)) {
      int split = reserve();
      emit(option);
      jumps.add(reserve());
      program.set(split, new Step.Split(split + 1, program.size()));
    }
    emit(options.getLast());
    jumps.forEach(jump -> program.set(jump, new Step.Jump(program.size())));
  }

  private void emitRepeat(RegexNode body, int min, int max) throws RegexSyntaxException {
    for (int i = 0; i < min; i++) {
      emit(body);
    }
    if (max == RegexNode.UNBOUNDED) {
      int split = reserve();
      emit(body);
      add(new Step.Jump(split));
      program.set(split, new Step.Split(split + 1, program.size()));
      return;
    }
    var splits = new ArrayList<Integer>();
    for (int i = min; i < max; i++) {
      splits.add(reserve());
      emit(body);
    }
    splits.forEach(split -> program.set(split, new Step.Split(split + 1, program.size())));
  }

  private int reserve() throws RegexSyntaxException {
    add(new Step.Jump(0));
    return program.size() - 1;
  }

  /** The set of places in the program that are alive at one place of the text. */
  private final class Run {
    private final int[] text;
    private int[] alive = new int[program.size()];
    private int count;
    private int[] next = new int[program.size()];
    private final int[] seenAt = new int[program.size()];
    private final int[] stack = new int[2 * program.size() + 2];

    Run(int[] text) {
      this.text = text;
      Arrays.fill(seenAt, -1);
    }

    /** Adds what can be reached from a step without consuming; true if that is the end. */
    boolean reach(int from, int at) {
      int top = 0;
      stack[top++] = from;
      while (top > 0) {
        int step = stack[--top];
        if (seenAt[step] == at) {
          continue;
        }
        seenAt[step] = at;
        switch (program.get(step)) {
          case Step.Consume _ -> alive[count++] = step;
          case Step.Check(var place) -> {
            if (place.holds(text, at)) {
              stack[top++] = step + 1;
            }
          }
          case Step.Split(var first, var second) -> {
            stack[top++] = second;
            stack[top++] = first;
          }
          case Step.Jump(var target) -> stack[top++] = target;
          case Step.Found _ -> {
            return true;
          }
        }
      }
      return false;
    }

    /** Moves every live place over one code point; true if one reached the end. */
    boolean consume(int at) {
      int[] before = alive;
      int number = count;
      alive = next;
      next = before;
      count = 0;
      for (int i = 0; i < number; i++) {
        var step = (Step.Consume) program.get(before[i]);
        if (step.accepts().test(text[at]) && reach(before[i] + 1, at + 1)) {
          return true;
        }
      }
      return false;
    }
  }
}
