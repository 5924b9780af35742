package io.jcontainerd.transfer;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.CleanUp;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.operation.OperationRegistry;
import io.jcontainerd.core.operation.RunningOperation;
import io.jcontainerd.core.registry.Registry;
import io.jcontainerd.core.transfer.ConversionRequest;
import io.jcontainerd.core.transfer.ExportRequest;
import io.jcontainerd.core.transfer.ImageSelection;
import io.jcontainerd.core.transfer.ImportRequest;
import io.jcontainerd.core.transfer.PullRequest;
import io.jcontainerd.core.transfer.PushRequest;
import io.jcontainerd.core.transfer.RemoteImage;
import io.jcontainerd.core.transfer.TransferListener;
import io.jcontainerd.core.transfer.Transfers;
import io.jcontainerd.oci.reference.Reference;
import io.jcontainerd.transfer.archive.ArchiveExport;
import io.jcontainerd.transfer.archive.ArchiveImport;
import io.jcontainerd.transfer.archive.ArchiveLimits;
import io.jcontainerd.transfer.convert.Conversions;
import io.jcontainerd.transfer.fetch.FetchLimits;
import io.jcontainerd.transfer.flow.Slots;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** All transfers of a daemon: whoever wants the same at the same time shares the work. */
public final class TransferEngine implements Transfers {
  private static final Logger LOG = System.getLogger(TransferEngine.class.getName());
  private static final Duration LEASE = Duration.ofHours(24);

  private final TransferParts parts;
  private final TransferSettings settings;
  private final OperationRegistry operations;
  private final Blobs blobs;
  private final Layers layers;
  private final Slots uploads;
  private final Slots conversions;

  /**
   * Transfers by these parts.
   *
   * @param operations where they are listed
   */
  public TransferEngine(
      TransferParts parts, TransferSettings settings, OperationRegistry operations) {
    this(
        parts, settings, FetchLimits.usual(settings.fetchBuffer(), settings.silence()), operations);
  }

  /** Transfers that fetch in a certain way. */
  TransferEngine(
      TransferParts parts,
      TransferSettings settings,
      FetchLimits limits,
      OperationRegistry operations) {
    this.parts = parts;
    this.settings = settings;
    this.operations = operations;
    Slots downloads = new Slots(settings.downloads());
    this.blobs =
        new Blobs(
            parts, new BlobFetch(parts.content(), limits, downloads, parts.time()), operations);
    int unpacks =
        settings.unpacks() == 0 ? Runtime.getRuntime().availableProcessors() : settings.unpacks();
    this.layers = new Layers(parts, blobs, unpacks, operations);
    this.uploads = new Slots(settings.uploads());
    this.conversions = new Slots(unpacks);
  }

  /** What is done with an open session. */
  private interface Work<T> {
    T with(Session session) throws InterruptedException;
  }

  private <T> T transfer(String kind, RemoteImage image, Work<T> work) {
    Call outer = Call.current();
    outer.namespace();
    String reference = Reference.parse(image.reference()).withDefaultTag().toString();
    return listed(
        kind,
        reference,
        () -> {
          try (Session session = session(image, reference, outer)) {
            return session.call().call(() -> work.with(session));
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancelledException("image " + reference, e);
          }
        });
  }

  /** Lists the work while it goes on; cancelled there, it ends as when its caller leaves. */
  private <T> T listed(String kind, String key, ScopedValue.CallableOp<T, RuntimeException> work) {
    RunningOperation operation = operations.begin(kind, Call.currentNamespace(), key);
    try (operation) {
      operation.cancelledBy(Thread.currentThread()::interrupt);
      return operation.call(work);
    } catch (RuntimeException | Error e) {
      operation.failed(e);
      throw e;
    } finally {
      if (operation.isCancelled()) {
        boolean _ = Thread.interrupted(); // it was for this work alone
      }
    }
  }

  private Session session(RemoteImage image, String reference, Call outer) {
    Registry registry = parts.registries().open(image.access());
    try {
      Remains remains = new Remains(parts.leases(), parts.time());
      Optional<String> lease =
          outer.lease().isPresent()
              ? Optional.empty()
              : Optional.of(remains.grant(reference, LEASE));
      return new Session(
          registry,
          reference,
          parts.leases(),
          remains,
          lease.map(outer::withLease).orElse(outer),
          lease);
    } catch (RuntimeException e) {
      registry.close();
      throw e;
    }
  }

  /** Runs with the call's lease, or one for just this. */
  private <T> T leased(String kind, String key, ScopedValue.CallableOp<T, RuntimeException> work) {
    Call.current().namespace();
    return listed(kind, key, () -> leased(work));
  }

  private <T> T leased(ScopedValue.CallableOp<T, RuntimeException> work) {
    Call outer = Call.current();
    if (outer.lease().isPresent()) {
      return work.call();
    }
    String lease = newLease();
    try {
      return outer.withLease(lease).call(work);
    } finally {
      CleanUp.apart(() -> release(lease));
    }
  }

  /** A lease that stays expires by itself. */
  private void release(String lease) {
    try {
      parts.leases().delete(lease, false);
    } catch (NotFoundException _) {
      // somebody else has ended it
    } catch (ContainerdException e) {
      LOG.log(Level.WARNING, "lease " + lease + " could not be ended", e);
    }
  }

  private String newLease() {
    String expires = parts.time().now().plus(LEASE).toString();
    return parts.leases().create("", Map.of("containerd.io/gc.expire", expires)).id();
  }

  @Override
  public List<Image> pull(PullRequest request, TransferListener listener) {
    return transfer(
        "pull",
        request.source(),
        session -> {
          session.keepRemains();
          try {
            List<Image> images =
                new Pull(parts, settings, blobs, layers, session, request, new Notices(listener))
                    .run();
            session.succeed();
            return images;
          } catch (ResourceExhaustedException e) {
            session.forgetRemains(); // what it has brought is in the way of everything else
            throw e;
          }
        });
  }

  @Override
  public void push(PushRequest request, TransferListener listener) {
    Boolean _ =
        transfer(
            "push",
            request.destination(),
            session -> {
              new Push(parts, uploads, session, request.source(), new Notices(listener)).run();
              return true;
            });
  }

  @Override
  public List<Image> importArchive(
      InputStream archive, ImportRequest request, TransferListener listener) {
    return leased(
        "import",
        "",
        () ->
            new ArchiveImport(
                    parts.content(),
                    parts.leases(),
                    new ImageNames(parts.images())::save,
                    new Import(parts, settings, blobs, layers)::unpack,
                    () -> parts.space().ofContent().map(DiskSpace.Room::availableBytes),
                    ArchiveLimits.USUAL)
                .run(archive, request, listener));
  }

  @Override
  public void exportArchive(
      OutputStream archive, ExportRequest request, TransferListener listener) {
    Boolean _ =
        leased(
            "export",
            request.source().name(),
            () -> {
              List<Image> images = new ImageNames(parts.images()).find(request.source());
              Keeper keeper = new Keeper(parts.leases());
              images.forEach(image -> keeper.content(image.target().digest()));
              new ArchiveExport(parts.content()).run(images, archive, request, listener);
              return true;
            });
  }

  @Override
  public List<Image> convert(ConversionRequest request, TransferListener listener) {
    return leased(
        "convert",
        request.source(),
        () -> {
          // first kept, then looked at once more: it may be removed and collected meanwhile
          new Keeper(parts.leases())
              .content(parts.images().get(request.source()).target().digest());
          Image source = parts.images().get(request.source());
          Notices notices = new Notices(listener);
          notices.event("Converting " + request.source());
          Descriptor target =
              new Conversions(
                      parts.content(),
                      parts.leases(),
                      parts.layerImages(),
                      parts.mostLayerBytes(),
                      () -> parts.space().ofContent().map(DiskSpace.Room::availableBytes),
                      conversions)
                  .convert(source.target(), request, listener);
          ImageSelection to =
              new ImageSelection(
                  request.destination(),
                  source.labels(),
                  List.of(),
                  false,
                  0,
                  List.of(),
                  List.of());
          return new ImageNames(parts.images()).save(to, target, notices);
        });
  }

  @Override
  public List<Image> tag(
      ImageSelection source, ImageSelection destination, TransferListener listener) {
    return leased(
        "tag",
        source.name(),
        () -> {
          // first kept, then looked at once more: it may be removed and collected meanwhile
          new Keeper(parts.leases()).content(parts.images().get(source.name()).target().digest());
          Descriptor target = parts.images().get(source.name()).target();
          return new ImageNames(parts.images()).save(destination, target, new Notices(listener));
        });
  }
}
