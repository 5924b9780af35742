package io.jcontainerd.services;

import com.google.protobuf.Any;
import com.google.protobuf.Empty;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.jcontainerd.api.services.transfer.v1.TransferGrpc;
import io.jcontainerd.api.services.transfer.v1.TransferRequest;
import io.jcontainerd.api.transfer.v1.ConvertedImage;
import io.jcontainerd.api.types.transfer.ImageExportStream;
import io.jcontainerd.api.types.transfer.ImageImportStream;
import io.jcontainerd.api.types.transfer.ImageStore;
import io.jcontainerd.api.types.transfer.OCIRegistry;
import io.jcontainerd.api.types.transfer.RegistryResolver;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.CleanUp;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.registry.CredentialSource;
import io.jcontainerd.core.transfer.ExportRequest;
import io.jcontainerd.core.transfer.ImportRequest;
import io.jcontainerd.core.transfer.PullRequest;
import io.jcontainerd.core.transfer.PushRequest;
import io.jcontainerd.core.transfer.RemoteImage;
import io.jcontainerd.core.transfer.TransferListener;
import io.jcontainerd.core.transfer.Transfers;
import io.jcontainerd.services.rpc.Endpoint;
import io.jcontainerd.wire.TransferMessages;
import io.jcontainerd.wire.TypedValues;
import io.jcontainerd.wire.Types;
import io.jcontainerd.wire.streams.ByteReceiver;
import io.jcontainerd.wire.streams.ByteSender;
import io.jcontainerd.wire.streams.MessageStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * {@code containerd.services.transfer.v1.Transfer}: says which pair of source and destination is
 * which transfer, and joins the streams that the client has opened for it.
 *
 * <p>A stream that a request names is taken for as long as the transfer lasts and closed at its
 * end, in the order in which nobody waits for what does not come: bytes first, progress last.
 */
final class TransferService {
  private final Transfers transfers;
  private final StreamRegistry streams;

  TransferService(Transfers transfers, StreamRegistry streams) {
    this.transfers = transfers;
    this.streams = streams;
  }

  ServerServiceDefinition define(Time time) {
    return new Endpoint(TransferGrpc.getServiceDescriptor(), time)
        .unary(TransferGrpc.getTransferMethod(), this::transfer)
        .build();
  }

  /** What a transfer can be from or to; anything else we have no pair for. */
  private sealed interface End {
    record Registry(OCIRegistry message) implements End {}

    record Images(ImageStore message) implements End {}

    record Import(ImageImportStream message) implements End {}

    record Export(ImageExportStream message) implements End {}

    record Converted(ConvertedImage message) implements End {}

    record Other() implements End {}
  }

  private record Pair(End source, End destination) {}

  private Empty transfer(TransferRequest request) {
    Call.currentNamespace();
    Pair pair = new Pair(end(request.getSource()), end(request.getDestination()));
    try (Opened opened = new Opened()) {
      TransferListener listener = opened.listener(request.getOptions().getProgressStream());
      switch (pair) {
        case Pair(End.Registry(var from), End.Images(var to)) ->
            transfers.pull(
                new PullRequest(opened.remote(from), TransferMessages.toCore(to)), listener);
        case Pair(End.Images(var from), End.Registry(var to)) ->
            transfers.push(
                new PushRequest(TransferMessages.toCore(from), opened.remote(to)), listener);
        case Pair(End.Import(var from), End.Images(var to)) ->
            importArchive(opened.in(from), from, to, listener);
        case Pair(End.Images(var from), End.Export(var to)) ->
            exportArchive(from, to, opened.out(to), listener);
        case Pair(End.Images(var from), End.Images(var to)) ->
            transfers.tag(TransferMessages.toCore(from), TransferMessages.toCore(to), listener);
        case Pair(End.Images(var from), End.Converted(var to)) ->
            transfers.convert(TransferMessages.toCore(from, to), listener);
        case Pair(End.Import(var from), End.Export(var to)) ->
            echo(opened.in(from), opened.out(to));
        case Pair(End _, End _) ->
            throw Status.UNIMPLEMENTED
                .withDescription(
                    "method Transfer not implemented for %s to %s"
                        .formatted(
                            request.getSource().getTypeUrl(),
                            request.getDestination().getTypeUrl()))
                .asRuntimeException();
      }
    }
    return Empty.getDefaultInstance();
  }

  private static End end(Any any) {
    TypedValue value = TypedValues.toCore(any);
    return switch (value.typeName()) {
      case "containerd.types.transfer.OCIRegistry" ->
          new End.Registry(read(value, OCIRegistry.parser()));
      case "containerd.types.transfer.ImageStore" ->
          new End.Images(read(value, ImageStore.parser()));
      case "containerd.types.transfer.ImageImportStream" ->
          new End.Import(read(value, ImageImportStream.parser()));
      case "containerd.types.transfer.ImageExportStream" ->
          new End.Export(read(value, ImageExportStream.parser()));
      case "jcontainerd.services.transfer.v1.ConvertedImage" ->
          new End.Converted(read(value, ConvertedImage.parser()));
      default -> new End.Other();
    };
  }

  private static <M extends Message> M read(TypedValue value, Parser<M> parser) {
    return TypedValues.unpack(value, value.typeName(), parser);
  }

  private void importArchive(
      InputStream archive, ImageImportStream from, ImageStore to, TransferListener listener) {
    transfers.importArchive(
        archive,
        new ImportRequest(
            from.getMediaType(), from.getForceCompress(), TransferMessages.toCore(to)),
        listener);
  }

  private void exportArchive(
      ImageStore from, ImageExportStream to, ByteSender archive, TransferListener listener) {
    var request =
        new ExportRequest(
            TransferMessages.toCore(from),
            to.getMediaType(),
            to.getPlatformsList().stream().map(Types::toCore).toList(),
            to.getAllPlatforms(),
            to.getSkipCompatibilityManifest(),
            to.getSkipNonDistributable());
    boolean whole = false;
    try {
      transfers.exportArchive(archive, request, listener);
      archive.close();
      whole = true;
    } catch (IOException e) {
      throw broken(e);
    } finally {
      if (!whole) {
        archive.fail("the export failed");
      }
    }
  }

  private static void echo(InputStream from, OutputStream to) {
    try {
      from.transferTo(to);
      to.close();
    } catch (IOException e) {
      throw broken(e);
    }
  }

  private static RuntimeException broken(IOException e) {
    if (e instanceof InterruptedIOException) {
      return new CancelledException("transfer", e);
    }
    String message = String.valueOf(e.getMessage());
    return e.getCause() instanceof UnavailableException
        ? new UnavailableException(message, e)
        : new UnknownException(message, e);
  }

  /** The streams of one transfer; closed the other way round than they were taken. */
  private final class Opened implements AutoCloseable {
    private final Deque<Runnable> closing = new ArrayDeque<>();

    private MessageStream take(String id) {
      MessageStream stream = streams.take(id);
      closing.push(stream::close);
      return stream;
    }

    TransferListener listener(String id) {
      if (id.isEmpty()) {
        return TransferListener.NONE;
      }
      var sender = new TransferProgressSender(take(id));
      closing.push(sender::close);
      return sender;
    }

    InputStream in(ImageImportStream message) {
      return new ByteReceiver(take(message.getStream()));
    }

    ByteSender out(ImageExportStream message) {
      MessageStream stream = streams.take(message.getStream());
      var sender = new ByteSender(stream);
      closing.push(() -> sender.fail("the transfer ended before its bytes"));
      return sender;
    }

    RemoteImage remote(OCIRegistry message) {
      RegistryResolver resolver = message.getResolver();
      CredentialSource credentials =
          resolver.getAuthStream().isEmpty()
              ? CredentialSource.NONE
              : new AskedCredentials(take(resolver.getAuthStream()));
      Optional<Consumer<String>> log = Optional.empty();
      if (!resolver.getLogsStream().isEmpty()) {
        var sender = new LogSender(take(resolver.getLogsStream()));
        closing.push(sender::close);
        log = Optional.of(sender);
      }
      return new RemoteImage(
          message.getReference(), TransferMessages.toCore(resolver, credentials, log));
    }

    @Override
    public void close() {
      CleanUp.run(
          () -> {
            while (!closing.isEmpty()) {
              closing.pop().run();
            }
          });
    }
  }
}
