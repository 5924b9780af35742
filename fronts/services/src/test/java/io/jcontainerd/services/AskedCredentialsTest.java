package io.jcontainerd.services;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Any;
import io.jcontainerd.api.types.transfer.AuthRequest;
import io.jcontainerd.api.types.transfer.AuthResponse;
import io.jcontainerd.api.types.transfer.AuthType;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.UnauthenticatedException;
import io.jcontainerd.core.registry.CredentialSource.Challenge;
import io.jcontainerd.core.registry.RegistryCredential;
import io.jcontainerd.wire.TypedValues;
import io.jcontainerd.wire.streams.MessageStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class AskedCredentialsTest {
  private static final RegistryCredential MIRRORS =
      new RegistryCredential.UserPassword("me", "of the mirror");
  private final Client client = new Client();
  private final AskedCredentials asked = new AskedCredentials(client, Duration.ofMillis(20));

  @Test
  void each_question_gets_its_answer() {
    client.answers.add(password("me", "of the mirror"));
    assertThat(asked.find(from("mirror.example"))).isEqualTo(MIRRORS);
    client.answers.add(password("i", "of docker"));
    assertThat(asked.find(from("docker.io")))
        .isEqualTo(new RegistryCredential.UserPassword("i", "of docker"));
    assertThat(client.questions).containsExactly("mirror.example", "docker.io");
  }

  @Test
  void an_answer_that_comes_late_is_given_to_nobody_else() {
    assertThatThrownBy(() -> asked.find(from("mirror.example")))
        .isInstanceOf(DeadlineExceededException.class);
    client.answers.add(password("me", "of the mirror"));
    assertThatThrownBy(() -> asked.find(from("docker.io")))
        .isInstanceOf(UnauthenticatedException.class)
        .hasMessage("credentials of docker.io: the client has left an earlier question unanswered");
    assertThat(client.questions).containsExactly("mirror.example");
  }

  @Test
  void an_answer_to_who_was_interrupted_is_given_to_nobody_else() {
    client.interrupted = true;
    assertThatThrownBy(() -> asked.find(from("mirror.example")))
        .isInstanceOf(CancelledException.class);
    assertThat(Thread.interrupted()).isTrue();
    client.interrupted = false;
    client.answers.add(password("me", "of the mirror"));
    assertThatThrownBy(() -> asked.find(from("docker.io")))
        .isInstanceOf(UnauthenticatedException.class);
  }

  private static Challenge from(String host) {
    return new Challenge(host, "docker.io/library/x:1", List.of("Basic realm=\"x\""));
  }

  private static Any password(String user, String secret) {
    return TypedValues.packApi(
        AuthResponse.newBuilder()
            .setAuthType(AuthType.CREDENTIALS)
            .setUsername(user)
            .setSecret(secret)
            .build());
  }

  /** A client that answers what it was told to. */
  private static final class Client implements MessageStream {
    final LinkedBlockingQueue<Any> answers = new LinkedBlockingQueue<>();
    final List<String> questions = new ArrayList<>();
    boolean interrupted;

    @Override
    public String id() {
      return "s";
    }

    @Override
    public void send(Any message) {
      questions.add(
          TypedValues.unpack(
                  TypedValues.toCore(message),
                  AuthRequest.getDescriptor().getFullName(),
                  AuthRequest.parser())
              .getHost());
    }

    @Override
    public Optional<Any> receive(Duration longest) throws InterruptedException {
      if (interrupted) {
        throw new InterruptedException();
      }
      Any answer = answers.poll(longest.toMillis(), TimeUnit.MILLISECONDS);
      if (answer == null) {
        throw new DeadlineExceededException("no message");
      }
      return Optional.of(answer);
    }

    @Override
    public void fail(String why) {
      throw new AssertionError(why);
    }

    @Override
    public void close() {
      throw new AssertionError("nobody closes it here");
    }
  }
}
