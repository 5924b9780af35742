package io.jcontainerd.snapshots;

import java.util.Arrays;
import java.util.NoSuchElementException;

/** A stack of numbers that takes eight bytes for each. For one thread. */
final class LongStack {
  private long[] numbers = new long[16];
  private int size;

  boolean isEmpty() {
    return size == 0;
  }

  void push(long number) {
    if (size == numbers.length) {
      numbers = Arrays.copyOf(numbers, 2 * size);
    }
    numbers[size] = number;
    size++;
  }

  long top() {
    if (size == 0) {
      throw new NoSuchElementException();
    }
    return numbers[size - 1];
  }

  long pop() {
    long number = top();
    size--;
    return number;
  }
}
