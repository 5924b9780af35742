package io.jcontainerd.linux.process;

import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.descriptor.OwnedDescriptor;
import io.jcontainerd.linux.libc.DescriptorCalls;
import io.jcontainerd.linux.libc.SpawnCalls;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A program to start with exactly the descriptors it is given, and nothing else of ours: no other
 * descriptor, no blocked or ignored signal.
 *
 * @param program its name for itself, and looked up on the path unless it holds a slash
 * @param file what is executed under that name; empty for the program itself
 * @param arguments without the program's name
 * @param environment all of it, as {@code NAME=value}
 * @param directory where it starts; empty for ours
 * @param descriptors the child's number to the descriptor that becomes it; of 0, 1 and 2 a missing
 *     one is {@code /dev/null}
 * @param session whether it leads a session of its own
 * @param group whether it leads a process group of its own
 * @param endsGroup whether its process group ends with it
 */
public record Program(
    String program,
    Optional<Path> file,
    List<String> arguments,
    List<String> environment,
    Optional<Path> directory,
    Map<Integer, OwnedDescriptor> descriptors,
    boolean session,
    boolean group,
    boolean endsGroup) {

  private static final int STANDARD = 3;
  private static final String NULL_DEVICE = "/dev/null";

  /** Copies the collections and refuses negative numbers. */
  public Program {
    arguments = List.copyOf(arguments);
    environment = List.copyOf(environment);
    descriptors = Map.copyOf(descriptors);
    if (program.isEmpty()) {
      throw new IllegalArgumentException("a program needs a name");
    }
    if (descriptors.keySet().stream().anyMatch(number -> number < 0)) {
      throw new IllegalArgumentException("negative descriptor number");
    }
  }

  /** A program with our directory, no descriptors but {@code /dev/null}, in our session. */
  public static Program of(String program, List<String> arguments, List<String> environment) {
    return new Program(
        program,
        Optional.empty(),
        arguments,
        environment,
        Optional.empty(),
        Map.of(),
        false,
        false,
        false);
  }

  /** The same, but another file is executed: it sees the program's name as its own. */
  public Program executing(Path other) {
    return new Program(
        program,
        Optional.of(other),
        arguments,
        environment,
        directory,
        descriptors,
        session,
        group,
        endsGroup);
  }

  /** The same with other descriptors. */
  public Program withDescriptors(Map<Integer, OwnedDescriptor> map) {
    return new Program(
        program, file, arguments, environment, directory, map, session, group, endsGroup);
  }

  /** The same in another directory. */
  public Program in(Path folder) {
    return new Program(
        program,
        file,
        arguments,
        environment,
        Optional.of(folder),
        descriptors,
        session,
        group,
        endsGroup);
  }

  /** The same as leader of a new session. */
  public Program withSession() {
    return new Program(
        program, file, arguments, environment, directory, descriptors, true, group, endsGroup);
  }

  /** The same as leader of a new process group. */
  public Program withGroup() {
    return new Program(
        program, file, arguments, environment, directory, descriptors, session, true, endsGroup);
  }

  /** The same as leader of a new process group that ends when it does. */
  public Program withGroupThatEnds() {
    return new Program(
        program, file, arguments, environment, directory, descriptors, session, true, true);
  }

  /**
   * Starts it. Who calls this owes the child a wait: see {@link Children}.
   *
   * @return its pid
   * @throws ErrnoException also for a program that does not exist or cannot be executed
   */
  public int start() throws ErrnoException {
    SortedMap<Integer, OwnedDescriptor> wanted = new TreeMap<>(descriptors);
    int above = Math.max(STANDARD, wanted.isEmpty() ? 0 : wanted.lastKey() + 1);
    List<OwnedDescriptor> moved = new ArrayList<>();
    try (Arena arena = Arena.ofConfined();
        SpawnCalls.FileActions actions = new SpawnCalls.FileActions(arena);
        SpawnCalls.Attributes attributes = new SpawnCalls.Attributes(arena, session, group)) {
      // A source below the highest target could be overwritten before it is copied: move it away.
      for (Map.Entry<Integer, OwnedDescriptor> entry : wanted.entrySet()) {
        if (entry.getValue().number() < above && entry.getValue().number() != entry.getKey()) {
          OwnedDescriptor copy = entry.getValue().duplicate(above);
          moved.add(copy);
          entry.setValue(copy);
        }
      }
      for (int target = 0; target < STANDARD; target++) {
        if (!wanted.containsKey(target)) {
          actions.open(target, NULL_DEVICE, DescriptorCalls.O_RDWR);
        }
      }
      for (Map.Entry<Integer, OwnedDescriptor> entry : wanted.entrySet()) {
        actions.dup2(entry.getValue().number(), entry.getKey());
      }
      closeGaps(actions, wanted, above);
      if (directory.isPresent()) {
        actions.chdir(directory.get().toString());
      }
      List<String> argv = new ArrayList<>(arguments.size() + 1);
      argv.add(program);
      argv.addAll(arguments);
      String executed = file.map(Path::toString).orElse(program);
      return SpawnCalls.spawn(arena, executed, argv, environment, actions, attributes);
    } finally {
      moved.forEach(OwnedDescriptor::close);
    }
  }

  /** Numbers between the wanted ones may be open in us and lack close-on-exec. */
  private static void closeGaps(
      SpawnCalls.FileActions actions, SortedMap<Integer, OwnedDescriptor> wanted, int above)
      throws ErrnoException {
    for (int number = STANDARD; number < above; number++) {
      if (!wanted.containsKey(number)) {
        actions.open(number, NULL_DEVICE, DescriptorCalls.O_RDWR | DescriptorCalls.O_CLOEXEC);
      }
    }
    actions.closefrom(above);
  }
}
