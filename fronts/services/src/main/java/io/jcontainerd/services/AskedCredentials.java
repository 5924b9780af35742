package io.jcontainerd.services;

import com.google.protobuf.Any;
import io.jcontainerd.api.types.transfer.AuthResponse;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.UnauthenticatedException;
import io.jcontainerd.core.registry.CredentialSource;
import io.jcontainerd.core.registry.RegistryCredential;
import io.jcontainerd.wire.TransferMessages;
import io.jcontainerd.wire.TypedValues;
import io.jcontainerd.wire.streams.MessageStream;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Asks the client of a transfer for credentials, one question at a time. Answers are not remembered
 * here and not logged anywhere. Nothing in an answer tells which question it is of; so once one was
 * left without its answer, which may still come, no other is asked.
 */
final class AskedCredentials implements CredentialSource {
  /** A person may have to look for a password. */
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  private final MessageStream stream;
  private final Duration patience;
  private final ReentrantLock turn = new ReentrantLock();

  /** Whether an answer may still come; guarded by {@link #turn}. */
  private boolean isOwed;

  AskedCredentials(MessageStream stream) {
    this(stream, PATIENCE);
  }

  AskedCredentials(MessageStream stream, Duration patience) {
    this.stream = stream;
    this.patience = patience;
  }

  @Override
  public RegistryCredential find(Challenge challenge) {
    try {
      turn.lockInterruptibly();
      try {
        if (isOwed) {
          throw new UnauthenticatedException(
              "credentials of "
                  + challenge.host()
                  + ": the client has left an earlier question unanswered");
        }
        isOwed = true;
        stream.send(TypedValues.packApi(TransferMessages.toApi(challenge)));
        Optional<Any> answer = stream.receive(patience);
        isOwed = false;
        return TransferMessages.toCore(response(answer, challenge.host()));
      } finally {
        turn.unlock();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("asking for credentials of " + challenge.host(), e);
    }
  }

  private static AuthResponse response(Optional<Any> answer, String host) {
    return TypedValues.unpack(
        TypedValues.toCore(
            answer.orElseThrow(
                () ->
                    new UnauthenticatedException(
                        "credentials of " + host + ": the client gives none any more"))),
        AuthResponse.getDescriptor().getFullName(),
        AuthResponse.parser());
  }
}
