package io.jcontainerd.registry;

import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.UnavailableException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.http.HttpResponse;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/**
 * Sends a request until there is an answer that is worth looking at: it answers refusals with
 * credentials, and tries again what failed for reasons that may pass. Safe for many threads.
 */
final class Exchange {
  private static final Set<Integer> PASSING = Set.of(408, 429, 500, 502, 503, 504);
  private static final int TOO_MANY_REQUESTS = 429;
  private static final Duration FIRST_WAIT = Duration.ofMillis(200);

  /** Who says nothing at all was waited for long enough by then. */
  private static final int MOST_SILENCES = 2;

  private final RegistryOptions options;
  private final Line line;
  private final Authorizer authorizer;

  Exchange(RegistryOptions options) {
    this.options = options;
    this.line = new Line(options);
    this.authorizer = new Authorizer(options, line);
  }

  /**
   * The answer, whatever its status.
   *
   * @throws UnavailableException if none came
   */
  Answer send(Ask ask) {
    IOException last = null;
    int repeats = 0;
    int silences = 0;
    for (int attempt = 1; ; attempt++) {
      Duration wait = backoff(attempt);
      try {
        Answer answer = authorized(ask, attempt);
        if (attempt >= ask.host().tries() || !mayPass(ask, answer.status(), repeats)) {
          return answer;
        }
        Optional<Duration> asked =
            answer
                .header("Retry-After")
                .flatMap(text -> HttpDates.wait(text, options.time().now()));
        if (isTooLong(asked)) {
          return answer;
        }
        answer.drop();
        repeats += answer.status() == TOO_MANY_REQUESTS ? 0 : 1;
        wait = asked.orElse(wait);
      } catch (PassingException e) {
        if (attempt >= ask.host().tries() || isTooLong(e.asked())) {
          throw new UnavailableException(inVain(ask) + text(e), e);
        }
        last = e;
        wait = e.asked().orElse(wait);
      } catch (FinalException e) {
        throw new UnavailableException(inVain(ask) + text(e), e);
      } catch (IOException e) {
        if (last != null && !last.equals(e)) {
          e.addSuppressed(last);
        }
        last = e;
        silences += e instanceof NoAnswerException ? 1 : 0;
        if (attempt >= ask.host().tries()
            || repeats >= ask.manner().repeats()
            || silences >= MOST_SILENCES
            || isOfCertificates(e)) {
          throw new UnavailableException(
              ask.words()
                  + " gave no answer to "
                  + ask.question()
                  + " ("
                  + authorizer.who(ask)
                  + ")"
                  + (attempt > 1 ? " " + attempt + " times" : "")
                  + ": "
                  + text(e),
              e);
        }
        repeats++;
      } catch (InterruptedException e) {
        throw interrupted(ask, e);
      }
      pause(ask, wait);
    }
  }

  /**
   * A small thing, all of it. A line that breaks in its middle is as one that did not answer.
   *
   * @throws ContainerdException if the answer is not {@code 200}
   * @throws IOException if it is longer than that, or packed
   */
  Whole read(Ask ask, int longest) throws IOException {
    Whole whole = readIfGiven(ask, longest);
    if (whole.answer.status() != 200) {
      throw whole.answer.failure();
    }
    return whole;
  }

  /** Likewise, but if the answer is not {@code 200} its body is left unread. */
  Whole readIfGiven(Ask ask, int longest) throws IOException {
    for (int attempt = 1; ; attempt++) {
      Answer answer = send(ask);
      if (answer.status() != 200) {
        return new Whole(answer, new byte[0]);
      }
      try {
        return new Whole(answer, answer.bytes(longest));
      } catch (FinalException | InterruptedIOException e) {
        throw e;
      } catch (IOException e) {
        if (attempt >= ask.host().tries()) {
          throw new IOException(answer.question() + ": " + text(e), e);
        }
      }
      pause(ask, backoff(attempt));
    }
  }

  /**
   * An answer with its body.
   *
   * @param bytes the body
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Whole(Answer answer, byte[] bytes) {}

  /** Waits before something is tried again. */
  void pause(Ask ask, Duration wait) {
    try {
      options.time().sleep(wait);
    } catch (InterruptedException e) {
      throw interrupted(ask, e);
    }
  }

  /** How long to wait after so many failures. */
  static Duration backoff(int failures) {
    return FIRST_WAIT.multipliedBy(1L << Math.min(failures - 1, 8));
  }

  /** Whether another answer may come when it is tried again. */
  static boolean mayPass(int status) {
    return PASSING.contains(status);
  }

  private static boolean mayPass(Ask ask, int status, int repeats) {
    return status == TOO_MANY_REQUESTS
        || (PASSING.contains(status) && repeats < ask.manner().repeats());
  }

  private boolean isTooLong(Optional<Duration> wait) {
    return wait.filter(asked -> asked.compareTo(options.patience()) > 0).isPresent();
  }

  /** What was asked of whom and as whom, before why nothing came of it. */
  private String inVain(Ask ask) {
    return ask.words() + ": " + ask.question() + " (" + authorizer.who(ask) + "): ";
  }

  private static CancelledException interrupted(Ask ask, InterruptedException e) {
    Thread.currentThread().interrupt();
    return new CancelledException(
        "image " + ask.reference() + ": " + ask.method() + " to " + ask.host().name(), e);
  }

  /** Who is not believed now will not be believed in a second. */
  static boolean isOfCertificates(Throwable failure) {
    Throwable at = failure;
    while (at != null && !(at instanceof GeneralSecurityException)) {
      at = at.getCause();
    }
    return at != null;
  }

  /** Why something failed. What is not of our words is made printable. */
  static String text(Throwable failure) {
    if (failure instanceof ContainerdException) {
      return String.valueOf(failure.getMessage());
    }
    Throwable deepest = failure;
    while (deepest.getMessage() == null && deepest.getCause() != null) {
      deepest = deepest.getCause();
    }
    return deepest.getMessage() == null
        ? failure.getClass().getSimpleName().replace("Exception", "")
        : failure instanceof FinalException
            ? String.valueOf(deepest.getMessage())
            : Printable.text(String.valueOf(deepest.getMessage()));
  }

  /**
   * The answer to the best proof that we have. A proof that was kept may be refused, for it may
   * have ended early; one that was made for this very request is not made again.
   */
  private Answer authorized(Ask ask, int attempt) throws IOException, InterruptedException {
    Optional<Proof> proof = authorizer.known(ask);
    boolean fresh = false;
    while (true) {
      HttpResponse<InputStream> response =
          line.follow(
              ask.host().http(), new Line.Question(ask), proof.map(Proof::header).orElse(""));
      Answer answer = new Answer(ask, response, authorizer.who(ask, proof), attempt);
      if (answer.status() != 401 || !ask.host().owns(answer.from())) {
        return answer;
      }
      if (fresh) {
        proof.ifPresent(authorizer::forget);
        return answer;
      }
      Optional<Authorizer.Better> better = authorizer.answer(ask, answer, proof);
      if (better.isEmpty()) {
        return answer;
      }
      answer.drop();
      proof = better.map(Authorizer.Better::proof);
      fresh = better.get().fresh();
    }
  }
}
