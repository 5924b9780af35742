package io.jcontainerd.e2e;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.function.Executable;

/** Cases in the order in which they are done; each prints one line. */
final class Cases {
  private final String prefix;
  private final List<DynamicTest> tests = new ArrayList<>();

  Cases(String prefix) {
    this.prefix = prefix;
  }

  Cases add(String name, Executable body) {
    tests.add(
        DynamicTest.dynamicTest(
            name,
            () -> {
              long start = System.nanoTime();
              boolean good = false;
              try {
                body.execute();
                good = true;
              } finally {
                System.out.printf(
                    "%s  %s: %s (%d ms)%n",
                    good ? "ok  " : "FAIL", prefix, name, (System.nanoTime() - start) / 1_000_000);
              }
            }));
    return this;
  }

  Stream<DynamicTest> stream() {
    return tests.stream();
  }
}
