package io.jcontainerd.registry;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.registry.Registry;
import io.jcontainerd.oci.reference.Reference;
import java.io.IOException;
import java.net.URI;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An upload that a registry has begun (distribution-spec, "pushing a blob monolithically" and "in
 * chunks"). The blob is sent whole. When the line breaks, or the registry does not take so much at
 * once, it is asked how far it came and gets the rest in pieces. For one thread.
 */
final class Upload {
  private static final long USUAL_PIECE = 32L << 20;
  private static final long SMALLEST_PIECE = 256L << 10;
  private static final int TOO_LARGE = 413;
  private static final int NOT_SATISFIABLE = 416;
  private static final System.Logger LOG = System.getLogger(Upload.class.getName());
  private static final Pattern RANGE = Pattern.compile("(?:bytes=)?([0-9]{1,18})-([0-9]{1,18})");

  /** The registry does not know the upload any more. */
  static final class LostException extends IOException {
    private static final long serialVersionUID = 1L;

    LostException(Throwable cause) {
      super(Exchange.text(cause), cause);
    }
  }

  private final RegistryOptions options;
  private final Exchange exchange;
  private final Host host;
  private final Reference reference;
  private final Descriptor descriptor;
  private final Registry.Source source;
  private final long smallest;
  private URI location;
  private long offset;
  private long farthest;
  private long piece;
  private int fruitless;

  /**
   * An upload.
   *
   * @param begun the answer that told where it is
   * @throws IOException if that is no usable address
   */
  Upload(
      RegistryOptions options,
      Exchange exchange,
      Host host,
      Reference reference,
      Descriptor descriptor,
      Registry.Source source,
      Answer begun)
      throws IOException {
    this.options = options;
    this.exchange = exchange;
    this.host = host;
    this.reference = reference;
    this.descriptor = descriptor;
    this.source = source;
    this.smallest =
        begun
            .header("OCI-Chunk-Min-Length")
            .filter(text -> text.matches("[0-9]{1,18}"))
            .map(Long::parseLong)
            .orElse(0L);
    this.location = NamedAddress.resolve(begun.from(), begun.header("Location").orElse(""));
    this.piece = descriptor.size() > options.piece() ? options.piece() : 0;
  }

  /** What makes the registry forget it. */
  Ask cancellation() {
    return ask("DELETE", location).manner(Ask.Manner.ONCE);
  }

  /**
   * Sends all of the blob.
   *
   * @throws LostException if it must be begun anew
   */
  void send() throws IOException {
    while (true) {
      boolean whole = piece == 0 && offset == 0;
      if (whole || offset == descriptor.size()) {
        if (finish(whole ? descriptor.size() : 0)) {
          return;
        }
      } else {
        long rest = descriptor.size() - offset;
        sendPiece(Math.min(rest, Math.max(piece == 0 ? USUAL_PIECE : piece, smallest)));
      }
    }
  }

  /** The last request, with the whole blob or nothing more; whether that was all. */
  private boolean finish(long length) throws IOException {
    String text = location.toString();
    URI uri =
        URI.create(text + (text.indexOf('?') < 0 ? "?" : "&") + "digest=" + descriptor.digest());
    Optional<Answer> sent = sendOnce(withBody(ask("PUT", uri), 0, length), length);
    if (sent.isEmpty()) {
      return false;
    }
    Answer answer = sent.get();
    if (answer.isGood()) {
      answer.drop();
      ManifestPush.checkStored(answer, descriptor.digest());
      return true;
    }
    if (answer.status() == TOO_LARGE && sendLessThan(length)) {
      answer.drop();
      askHowFar();
      return false;
    }
    if (mayBeAskedHowFar(answer.status())) {
      recover(answer.failure());
      return false;
    }
    throw orLost(answer);
  }

  private void sendPiece(long length) throws IOException {
    Ask patch =
        withBody(ask("PATCH", location), offset, length)
            .header("Content-Range", offset + "-" + (offset + length - 1));
    Optional<Answer> sent = sendOnce(patch, length);
    if (sent.isEmpty()) {
      return;
    }
    Answer answer = sent.get();
    if (answer.isGood()) {
      answer.drop();
      long before = offset;
      offset = end(answer, before, length).orElse(before + length);
      checkOffset(answer, before + length);
      moveTo(answer);
      if (!passesFarthest() && offset <= before) {
        fruitless(new UnavailableException(patch.words() + " takes nothing of an upload"));
      }
      return;
    }
    if (answer.status() == TOO_LARGE && sendLessThan(length)) {
      answer.drop();
      askHowFar();
      return;
    }
    if (mayBeAskedHowFar(answer.status())) {
      recover(answer.failure());
      return;
    }
    throw orLost(answer);
  }

  /** From now on half of what was too much; false if that would be too little. */
  private boolean sendLessThan(long length) {
    long half = Math.min(USUAL_PIECE, length / 2);
    if (half < Math.max(smallest, SMALLEST_PIECE)) {
      return false;
    }
    piece = half;
    return true;
  }

  /**
   * Sends it if the line allows; empty if it broke and we know how far it came. Who takes only so
   * much may hang up instead of saying so: after the second time in a row it gets less.
   */
  private Optional<Answer> sendOnce(Ask ask, long length) throws IOException {
    try {
      return Optional.of(exchange.send(ask));
    } catch (UnavailableException e) {
      if (e.getCause() instanceof FinalException) {
        throw e;
      }
      recover(e);
      if (fruitless >= 2 && !sendLessThan(length)) {
        LOG.log(System.Logger.Level.DEBUG, "{0} goes on with as much at once", ask.words());
      }
      return Optional.empty();
    }
  }

  private static boolean mayBeAskedHowFar(int status) {
    return status >= 500 || status == 408 || status == NOT_SATISFIABLE;
  }

  private void recover(ContainerdException why) throws IOException {
    fruitless(why);
    askHowFar();
    passesFarthest();
    if (piece == 0 && offset > 0) {
      piece = USUAL_PIECE;
    }
  }

  /** What comes to where it was before is no progress, or it could be lost and sent for ever. */
  private boolean passesFarthest() {
    if (offset <= farthest) {
      return false;
    }
    farthest = offset;
    fruitless = 0;
    return true;
  }

  private void fruitless(ContainerdException why) {
    if (++fruitless >= options.attempts()) {
      throw why;
    }
    exchange.pause(ask("GET", location), Exchange.backoff(fruitless));
  }

  /** An upload that cannot tell how far it came is as good as lost. */
  private void askHowFar() throws IOException {
    Answer answer = exchange.send(ask("GET", location));
    if (!answer.isGood()) {
      throw new LostException(answer.failure());
    }
    answer.drop();
    offset = end(answer, 0, 0).orElse(0);
    checkOffset(answer, descriptor.size());
    moveTo(answer);
  }

  private void checkOffset(Answer answer, long most) {
    if (offset > most) {
      throw new UnavailableException(
          answer.ask().words()
              + " claims to have "
              + offset
              + " bytes of an upload of which it got "
              + most);
    }
  }

  /**
   * How many bytes are there, if that is told. Some write {@code 0-0} when there are none.
   *
   * @param from where the last piece began
   * @param length how long it was
   */
  private static OptionalLong end(Answer answer, long from, long length) {
    Matcher range = RANGE.matcher(answer.header("Range").orElse(""));
    if (!range.matches()) {
      return OptionalLong.empty();
    }
    long last = Long.parseLong(range.group(2));
    return OptionalLong.of(last == 0 && !(from == 0 && length == 1) ? 0 : last + 1);
  }

  private void moveTo(Answer answer) throws IOException {
    Optional<String> next = answer.header("Location");
    if (next.isPresent()) {
      location = NamedAddress.resolve(answer.from(), next.get());
    }
  }

  private ContainerdException orLost(Answer answer) throws LostException {
    ContainerdException failure = answer.failure();
    if (answer.status() == 404 || answer.status() == 410) {
      throw new LostException(failure);
    }
    return failure;
  }

  private Ask withBody(Ask ask, long from, long length) {
    return ask.header("Content-Type", "application/octet-stream")
        .body(new UploadBody(source, descriptor.size(), from, length))
        .manner(Ask.Manner.ONCE);
  }

  private Ask ask(String method, URI uri) {
    return Ask.of(host, reference, method, uri, Scopes.push(reference));
  }
}
