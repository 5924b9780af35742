package io.jcontainerd.endure;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.endure.Gate.Session;
import java.io.IOException;

/**
 * A client of the daemon that never rests. What it is at is a plan, a line of words that stands in
 * the ledger before the first call: after a failure of the daemon, the plan is begun anew, and
 * whatever of it was done before is found. For one thread.
 */
abstract class Worker implements Runnable {
  private final String name;
  private final Gate gate;
  private final Problems problems;
  protected final Ledger ledger;

  Worker(String name, Gate gate, Ledger ledger, Problems problems) {
    this.name = name;
    this.gate = gate;
    this.ledger = ledger;
    this.problems = problems;
  }

  /** The next thing to do, in words. */
  abstract String next();

  /** Does it, from the beginning or from wherever an earlier attempt came to. */
  abstract void carryOut(Session session, String[] words) throws IOException, InterruptedException;

  @Override
  public final void run() {
    String key = Keys.plan(name);
    try {
      while (true) {
        String plan = ledger.known(key).value();
        Session session = gate.enter(!plan.isEmpty());
        if (session == null) {
          return;
        }
        if (plan.isEmpty()) {
          plan = next();
          ledger.settle(key, plan);
        }
        try {
          carryOut(session, plan.split(" ", -1));
          ledger.settle(key, "");
        } catch (ContainerdException e) {
          if (!session.isOver()) {
            fail(plan, e);
            return;
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException | RuntimeException | Error e) {
      fail(ledger.known(key).value(), e);
    } finally {
      gate.leave();
    }
  }

  private void fail(String plan, Throwable e) {
    StringBuilder text = new StringBuilder(name + " at '" + plan + "': " + e);
    for (StackTraceElement frame : e.getStackTrace()) {
      if (frame.getClassName().startsWith("io.jcontainerd.endure.")) {
        text.append(" at ").append(frame.getFileName()).append(':').append(frame.getLineNumber());
      }
    }
    problems.add(text.toString());
    ledger.note("failure " + text);
  }

  String name() {
    return name;
  }
}
