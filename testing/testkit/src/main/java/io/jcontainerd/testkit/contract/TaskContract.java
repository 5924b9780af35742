package io.jcontainerd.testkit.contract;

import io.jcontainerd.testkit.tasks.BusyboxRoot;
import io.jcontainerd.testkit.tasks.TaskSubject;
import java.lang.reflect.Method;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.TestInfo;

/**
 * Every contract about tasks, for one daemon with one runtime: ours over our shim host, the
 * distribution's shim, or somebody else's daemon over our host. Each test has a namespace of its
 * own. Needs root, and a static busybox.
 */
public abstract class TaskContract {
  /** For subclasses. */
  protected TaskContract() {}

  /** Who is held to it. */
  protected abstract TaskSubject subject();

  /** The root of all containers. */
  protected abstract BusyboxRoot root();

  /**
   * Tests in which this daemon differs, and why it may; they are skipped as not applicable. By
   * name, where need be with the class here and a dot before it.
   */
  protected Map<String, String> deviations() {
    return Map.of();
  }

  @BeforeEach
  final void skipDeviations(TestInfo test) {
    String method = test.getTestMethod().map(Method::getName).orElse("");
    String contract = test.getTestClass().map(Class::getSimpleName).orElse("");
    for (String name : List.of(method, contract + "." + method)) {
      Assumptions.assumeFalse(
          deviations().containsKey(name), () -> name + ": " + deviations().get(name));
    }
  }

  /** From creation to deletion. */
  @Nested
  public class Life extends TaskLifeContract {
    /** For JUnit. */
    public Life() {}

    @Override
    protected TaskSubject subject() {
      return TaskContract.this.subject();
    }

    @Override
    protected BusyboxRoot root() {
      return TaskContract.this.root();
    }
  }

  /** Further processes. */
  @Nested
  public class Execs extends TaskExecContract {
    /** For JUnit. */
    public Execs() {}

    @Override
    protected TaskSubject subject() {
      return TaskContract.this.subject();
    }

    @Override
    protected BusyboxRoot root() {
      return TaskContract.this.root();
    }
  }

  /** Signals. */
  @Nested
  public class Signals extends TaskSignalContract {
    /** For JUnit. */
    public Signals() {}

    @Override
    protected TaskSubject subject() {
      return TaskContract.this.subject();
    }

    @Override
    protected BusyboxRoot root() {
      return TaskContract.this.root();
    }
  }

  /** Streams. */
  @Nested
  public class Streams extends TaskStreamContract {
    /** For JUnit. */
    public Streams() {}

    @Override
    protected TaskSubject subject() {
      return TaskContract.this.subject();
    }

    @Override
    protected BusyboxRoot root() {
      return TaskContract.this.root();
    }
  }

  /** Terminals. */
  @Nested
  public class Terminals extends TaskTerminalContract {
    /** For JUnit. */
    public Terminals() {}

    @Override
    protected TaskSubject subject() {
      return TaskContract.this.subject();
    }

    @Override
    protected BusyboxRoot root() {
      return TaskContract.this.root();
    }
  }

  /** Freezing, limits and numbers. */
  @Nested
  public class Control extends TaskControlContract {
    /** For JUnit. */
    public Control() {}

    @Override
    protected TaskSubject subject() {
      return TaskContract.this.subject();
    }

    @Override
    protected BusyboxRoot root() {
      return TaskContract.this.root();
    }
  }

  /** What is told. */
  @Nested
  public class Events extends TaskEventContract {
    /** For JUnit. */
    public Events() {}

    @Override
    protected TaskSubject subject() {
      return TaskContract.this.subject();
    }

    @Override
    protected BusyboxRoot root() {
      return TaskContract.this.root();
    }
  }

  /** What happens at the same time. */
  @Nested
  public class Races extends TaskRaceContract {
    /** For JUnit. */
    public Races() {}

    @Override
    protected TaskSubject subject() {
      return TaskContract.this.subject();
    }

    @Override
    protected BusyboxRoot root() {
      return TaskContract.this.root();
    }
  }
}
