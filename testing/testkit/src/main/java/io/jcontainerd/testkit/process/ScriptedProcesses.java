package io.jcontainerd.testkit.process;

import io.jcontainerd.core.ports.Processes;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Programs answered by a script; started ones live until they are killed. Safe for many threads.
 */
public final class ScriptedProcesses implements Processes {
  /** What a program does when it is run to its end. */
  @FunctionalInterface
  public interface Script {
    /** The program's end. */
    Finished run(Spawn spawn) throws IOException;
  }

  private final Script script;
  private final List<Spawn> spawned = new ArrayList<>();
  private final Map<Integer, Long> living = new TreeMap<>();
  private int lastPid = 1000;

  /** Programs that do this. */
  public ScriptedProcesses(Script script) {
    this.script = script;
  }

  /** Everything that was run or started, in order. */
  public synchronized List<Spawn> spawned() {
    return List.copyOf(spawned);
  }

  /** The ids of started programs that were not killed. */
  public synchronized List<Integer> living() {
    return List.copyOf(living.keySet());
  }

  @Override
  public Finished run(Spawn spawn, Duration deadline, int maxOutput) throws IOException {
    synchronized (this) {
      spawned.add(spawn);
    }
    return script.run(spawn);
  }

  /** Nobody has scripted that yet. */
  @Override
  public Pipeline pipe(List<Filter> filters, int maxError) throws IOException {
    throw new IOException(filters.getFirst().spawn().command().getFirst() + ": not scripted");
  }

  @Override
  public synchronized int start(Spawn spawn, Optional<Path> output) {
    spawned.add(spawn);
    living.put(++lastPid, (long) lastPid);
    return lastPid;
  }

  @Override
  public synchronized boolean signal(int pid, int signal) {
    boolean there = living.containsKey(pid);
    if (signal == 9 || signal == 15) {
      living.remove(pid);
    }
    return there;
  }

  @Override
  public synchronized Optional<Long> startTime(int pid) {
    return Optional.ofNullable(living.get(pid));
  }
}
