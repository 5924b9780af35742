package io.jcontainerd.registry;

import io.jcontainerd.core.failure.AbortedException;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ConflictException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InternalException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.failure.NotModifiedException;
import io.jcontainerd.core.failure.OutOfRangeException;
import io.jcontainerd.core.failure.PermissionDeniedException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.failure.UnauthenticatedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.oci.reference.Reference;
import io.jcontainerd.registry.hosts.Attempt;
import io.jcontainerd.registry.hosts.Operation;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/**
 * Asks one host after another until one serves, and tells of all of them when none does. Who did
 * not answer is asked last for a while, so that a mirror that is down costs its wait once and not
 * with every blob. Safe for many threads.
 */
final class Trials {
  private static final Duration SHUNNED = Duration.ofSeconds(30);

  /** Something asked of one host. */
  @FunctionalInterface
  interface Question<T> {
    T ask(Host host) throws IOException;
  }

  /**
   * What one host gave.
   *
   * @param index which of the attempts
   */
  record Served<T>(int index, T answer) {}

  private record Failed(Attempt attempt, ContainerdException failure) {}

  private final Clients clients;
  private final int tries;
  private final Time time;
  private final Map<String, Instant> shunned = new ConcurrentHashMap<>();

  /**
   * Asks through these clients.
   *
   * @param tries how often the last host is asked when it fails for reasons that may pass; the
   *     others are asked once
   */
  Trials(Clients clients, int tries, Time time) {
    this.clients = clients;
    this.tries = tries;
    this.time = time;
  }

  /**
   * The answer of the first that serves.
   *
   * @param from with whom to begin; those before come last
   * @throws NotFoundException if there is nobody to ask
   */
  <T> Served<T> first(
      Reference reference,
      Operation operation,
      List<Attempt> attempts,
      int from,
      Question<T> question) {
    if (attempts.isEmpty()) {
      throw new NotFoundException(
          "image "
              + reference
              + ": the configuration of registry "
              + reference.domain()
              + " leaves no host to "
              + operation.word());
    }
    List<Failed> failures = new ArrayList<>();
    List<Attempt> order = shunnedLast(attempts, from);
    for (int i = 0; i < order.size(); i++) {
      Attempt attempt = order.get(i);
      try {
        Host host = clients.host(attempt, i == order.size() - 1 ? tries : 1);
        T answer = question.ask(host);
        shunned.remove(attempt.authority());
        return new Served<>(attempts.indexOf(attempt), answer);
      } catch (CancelledException e) {
        throw e;
      } catch (UnavailableException e) {
        failed(attempt);
        failures.add(new Failed(attempt, e));
      } catch (ContainerdException e) {
        failures.add(new Failed(attempt, e));
      } catch (IOException e) {
        failed(attempt);
        failures.add(
            new Failed(
                attempt,
                new UnavailableException(
                    "image "
                        + reference
                        + ": registry "
                        + attempt.authority()
                        + ": "
                        + Exchange.text(e),
                    e)));
      }
    }
    throw together(reference, operation, attempts.getLast(), failures);
  }

  private void failed(Attempt attempt) {
    clients.forget(attempt);
    shunned.put(attempt.authority(), time.now().plus(SHUNNED));
  }

  private List<Attempt> shunnedLast(List<Attempt> attempts, int from) {
    List<Attempt> rotated = new ArrayList<>(attempts);
    Collections.rotate(rotated, -from);
    Map<Boolean, List<Attempt>> parts =
        rotated.stream().collect(Collectors.partitioningBy(this::isShunned));
    List<Attempt> order = new ArrayList<>(parts.getOrDefault(false, List.of()));
    order.addAll(parts.getOrDefault(true, List.of()));
    return order;
  }

  private boolean isShunned(Attempt attempt) {
    Instant until = shunned.get(attempt.authority());
    return until != null && time.now().isBefore(until);
  }

  /** One failure as it was; of several, all of them, in the kind of the registry itself. */
  private static ContainerdException together(
      Reference reference, Operation operation, Attempt registry, List<Failed> failures) {
    ContainerdException kind =
        failures.stream()
            .filter(failed -> failed.attempt.equals(registry))
            .findFirst()
            .orElse(failures.getLast())
            .failure;
    if (failures.size() == 1) {
      return kind;
    }
    String prefix = "image " + reference + ": ";
    String each =
        failures.stream()
            .map(failed -> String.valueOf(failed.failure.getMessage()))
            .map(text -> text.startsWith(prefix) ? text.substring(prefix.length()) : text)
            .collect(Collectors.joining("; "));
    ContainerdException all =
        likewise(
            kind,
            prefix
                + "none of "
                + failures.size()
                + " hosts served "
                + operation.word()
                + ": "
                + each);
    failures.stream()
        .map(failed -> failed.failure)
        .filter(failure -> failure != kind)
        .forEach(all::addSuppressed);
    return all;
  }

  /** What hosts answer with comes in these kinds; see {@link Answers#failure}. */
  private static ContainerdException likewise(ContainerdException kind, String message) {
    return switch (kind) {
      case UnauthenticatedException _ -> new UnauthenticatedException(message, kind);
      case PermissionDeniedException _ -> new PermissionDeniedException(message, kind);
      case NotFoundException _ -> new NotFoundException(message, kind);
      case InvalidArgumentException _ -> new InvalidArgumentException(message, kind);
      case ResourceExhaustedException _ -> new ResourceExhaustedException(message, kind);
      case UnavailableException _ -> new UnavailableException(message, kind);
      case DataLossException _ -> new DataLossException(message, kind);
      case UnknownException _,
          AlreadyExistsException _,
          FailedPreconditionException _,
          ConflictException _,
          NotModifiedException _,
          AbortedException _,
          OutOfRangeException _,
          NotImplementedException _,
          InternalException _,
          CancelledException _,
          DeadlineExceededException _ ->
          new UnknownException(message, kind);
    };
  }
}
