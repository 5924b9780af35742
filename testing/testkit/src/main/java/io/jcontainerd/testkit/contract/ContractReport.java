package io.jcontainerd.testkit.contract;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.opentest4j.TestAbortedException;

/**
 * Keeps account of the contracts that ran. At the end of the run, each test class that extends a
 * contract has a file below {@code target/contracts/} with one line: the contract, who was held to
 * it, how many tests passed, failed and were skipped, and the first reason for a skip. {@code ./dev
 * contracts} prints them as one table.
 */
public final class ContractReport implements AfterEachCallback {
  private static final ExtensionContext.Namespace SPACE =
      ExtensionContext.Namespace.create(ContractReport.class);
  private static final Path FOLDER = Path.of("target", "contracts");

  /** For JUnit. */
  public ContractReport() {}

  /** What came of one class. */
  private static final class Row {
    private final String contract;
    private int passed;
    private int failed;
    private int skipped;
    private String reason = "";

    Row(String contract) {
      this.contract = contract;
    }

    synchronized void add(Optional<Throwable> failure) {
      if (failure.isEmpty()) {
        passed++;
      } else if (failure.get() instanceof TestAbortedException aborted) {
        skipped++;
        if (reason.isEmpty()) {
          reason =
              String.valueOf(aborted.getMessage())
                  .replaceFirst("^Assumption failed: ", "")
                  .replaceAll("\\s+", " ");
        }
      } else {
        failed++;
      }
    }

    synchronized String line(String subject) {
      return "%s\t%s\t%d\t%d\t%d\t%s\n"
          .formatted(contract, subject, passed, failed, skipped, reason);
    }
  }

  /** All classes of a run; written when the run ends. */
  private static final class Table implements AutoCloseable {
    private final Map<String, Row> rows = new ConcurrentHashMap<>();

    void add(ExtensionContext context) {
      rows.computeIfAbsent(
              subject(context),
              _ -> new Row(contract(context.getRequiredTestInstance().getClass())))
          .add(context.getExecutionException());
    }

    /** The class, with the one around it where it is nested. */
    private static String subject(ExtensionContext context) {
      List<Object> instances = context.getRequiredTestInstances().getAllInstances();
      String name = instances.getFirst().getClass().getName();
      String subject = name.replaceFirst("^io\\.jcontainerd\\.", "");
      for (Object inner : instances.subList(1, instances.size())) {
        subject += "." + inner.getClass().getSimpleName();
      }
      return subject;
    }

    /** The contract that a class extends: the last of its ancestors that is not called a test. */
    private static String contract(Class<?> type) {
      Class<?> at = type;
      while (at.getSuperclass() != null && !at.getSimpleName().endsWith("Contract")) {
        at = at.getSuperclass();
      }
      return at.getSimpleName();
    }

    @Override
    public void close() throws IOException {
      Files.createDirectories(FOLDER);
      for (Map.Entry<String, Row> row : rows.entrySet()) {
        String subject = row.getKey();
        Files.writeString(FOLDER.resolve(subject + ".tsv"), row.getValue().line(subject));
      }
    }
  }

  @Override
  public void afterEach(ExtensionContext context) {
    context
        .getRoot()
        .getStore(SPACE)
        .computeIfAbsent(Table.class, _ -> new Table(), Table.class)
        .add(context);
  }
}
