package io.jcontainerd.registry;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.oci.reference.Reference;
import io.jcontainerd.registry.hosts.Attempt;
import io.jcontainerd.registry.hosts.Operation;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;

/** One blob of whoever has it; when a line breaks, the next host is asked for the rest. */
final class Download implements ResumingStream.Opener {
  private final RegistryOptions options;
  private final Trials trials;
  private final Fetching fetching;
  private final Reference reference;
  private final Descriptor descriptor;
  private final List<Attempt> attempts;
  private int next;

  /**
   * @param next of the attempts, the first to be asked
   */
  Download(
      RegistryOptions options,
      Trials trials,
      Fetching fetching,
      Reference reference,
      Descriptor descriptor,
      List<Attempt> attempts,
      int next) {
    this.options = options;
    this.trials = trials;
    this.fetching = fetching;
    this.reference = reference;
    this.descriptor = descriptor;
    this.attempts = attempts;
    this.next = next;
  }

  @Override
  public ResumingStream.Opened open(long offset) {
    Trials.Served<Fetching.Rest> served =
        trials.first(
            reference,
            Operation.PULL,
            attempts,
            next,
            host -> fetching.open(host, reference, descriptor, offset));
    next = (served.index() + 1) % attempts.size();
    return new ResumingStream.Opened(
        served.answer().in(), served.answer().ahead(), attempts.get(served.index()).authority());
  }

  @Override
  public void pause(Duration wait) throws InterruptedException {
    options.time().sleep(wait);
  }

  /** The bytes from an offset to the end. */
  InputStream stream(long offset) {
    return new ResumingStream(
        "content " + descriptor.digest() + " of image " + reference,
        this,
        offset,
        descriptor.size(),
        options.attempts());
  }
}
