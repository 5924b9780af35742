package io.jcontainerd.diff;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.check.UnpackObserver;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.operation.Ending;
import io.jcontainerd.core.ports.NoSpaceException;
import io.jcontainerd.diff.processor.ProcessedLayer;
import io.jcontainerd.diff.processor.StreamProcessor;
import io.jcontainerd.diff.processor.StreamProcessors;
import io.jcontainerd.diff.stream.BufferPipe;
import io.jcontainerd.diff.stream.Compression;
import io.jcontainerd.diff.stream.CorruptStreamException;
import io.jcontainerd.diff.stream.Decompression;
import io.jcontainerd.diff.tree.EntryException;
import io.jcontainerd.diff.tree.LayerExtractor;
import io.jcontainerd.diff.tree.MissingBelowException;
import io.jcontainerd.diff.tree.Overlay;
import io.jcontainerd.diff.tree.SumTable;
import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.Mounter;
import io.jcontainerd.oci.tar.TarEntry;
import io.jcontainerd.oci.tar.TarFormatException;
import io.jcontainerd.oci.tar.TarReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Applies layers in tar form, plain or packed with gzip or zstd.
 *
 * <p>Two threads work on a layer: one reads and unpacks, the other hashes the plain bytes and puts
 * the files into the tree. A writable overlay is not mounted: the files go straight into its upper
 * folder. Nothing stays mounted and no thread goes on after the answer, whatever it is; what a
 * failed apply has put into the tree stays there, for the caller to remove with the snapshot. Safe
 * for many threads.
 */
public final class LayerApplier implements Applier {
  private static final String PLAIN_LAYER = "application/vnd.oci.image.layer.v1.tar";

  /** For threads that walk trees: a path of the greatest length has two thousand components. */
  static final long STACK_BYTES = 4 << 20;

  private final ContentStore content;
  private final Mounter mounter;
  private final LayerLimits limits;
  private final boolean inUserNamespace;
  private final @Nullable UnpackObserver observer;
  private final @Nullable StreamProcessors processors;
  private final Consumer<TarEntry> entries;
  private final boolean fromNothing;
  private final BufferPool buffers = new BufferPool();

  /** An applier with the usual limits. */
  public LayerApplier(ContentStore content, Mounter mounter) {
    this(content, mounter, LayerLimits.USUAL);
  }

  /**
   * @param content holds the layers
   * @param mounter for trees that must be mounted to be written to
   * @param limits that a layer must keep
   */
  public LayerApplier(ContentStore content, Mounter mounter, LayerLimits limits) {
    this(content, mounter, limits, UserIds.inUserNamespace());
  }

  /** An applier with the usual limits that tells what it puts in. */
  public LayerApplier(ContentStore content, Mounter mounter, UnpackObserver observer) {
    this(content, mounter, LayerLimits.USUAL, observer);
  }

  /**
   * @param content holds the layers
   * @param mounter for trees that must be mounted to be written to
   * @param limits that a layer must keep
   * @param observer is told sums of the files that were put into a folder
   */
  public LayerApplier(
      ContentStore content, Mounter mounter, LayerLimits limits, UnpackObserver observer) {
    this(content, mounter, limits, UserIds.inUserNamespace(), observer, null, _ -> {}, false);
  }

  LayerApplier(ContentStore content, Mounter mounter, LayerLimits limits, boolean inUserNamespace) {
    this(content, mounter, limits, inUserNamespace, null, null, _ -> {}, false);
  }

  private LayerApplier(
      ContentStore content,
      Mounter mounter,
      LayerLimits limits,
      boolean inUserNamespace,
      @Nullable UnpackObserver observer,
      @Nullable StreamProcessors processors,
      Consumer<TarEntry> entries,
      boolean fromNothing) {
    this.content = content;
    this.mounter = mounter;
    this.limits = limits;
    this.inUserNamespace = inUserNamespace;
    this.observer = observer;
    this.processors = processors;
    this.entries = entries;
    this.fromNothing = fromNothing;
  }

  /** The same that knows further media types. */
  public LayerApplier through(StreamProcessors further) {
    return new LayerApplier(
        content, mounter, limits, inUserNamespace, observer, further, entries, fromNothing);
  }

  /** The same for trees that begin with nothing, which tells each entry before it is put in. */
  LayerApplier telling(Consumer<TarEntry> each) {
    return new LayerApplier(
        content, mounter, limits, inUserNamespace, observer, processors, each, true);
  }

  @Override
  public Descriptor apply(Descriptor layer, List<Mount> mounts, Options options) {
    List<StreamProcessor> chain = chain(layer);
    Compression promised = promised(layer, chain);
    try (ContentReader blob = content.reader(layer.digest())) {
      return apply(layer, chain, promised, blob, mounts, options);
    }
  }

  /** Not for what a program has to unpack, which would keep running while it waits. */
  @Override
  public Descriptor apply(
      Descriptor layer, ContentReader blob, List<Mount> mounts, Options options) {
    List<StreamProcessor> chain = chain(layer);
    if (!chain.isEmpty()) {
      return Applier.super.apply(layer, blob, mounts, options);
    }
    ContentReader coming = new ComingBlob(blob);
    return apply(layer, chain, promised(layer, chain), coming, mounts, options);
  }

  private List<StreamProcessor> chain(Descriptor layer) {
    return processors == null ? List.of() : processors.chain(layer.mediaType());
  }

  private static Compression promised(Descriptor layer, List<StreamProcessor> chain) {
    String mediaType = chain.isEmpty() ? layer.mediaType() : chain.getLast().returns();
    return Compression.ofMediaType(mediaType)
        .orElseThrow(
            () ->
                new NotImplementedException(
                    "layer " + layer.digest() + ": media type " + mediaType));
  }

  private Descriptor apply(
      Descriptor layer,
      List<StreamProcessor> chain,
      Compression promised,
      ContentReader blob,
      List<Mount> mounts,
      Options options) {
    try (Mounter.Ready ready = mounter.ready(mounts)) {
      return processors == null || chain.isEmpty()
          ? onTree(layer, ready.mounts(), blob, promised, options)
          : processed(processors, chain, layer, ready.mounts(), blob, promised, options);
    } catch (IOException e) {
      throw failure("layer " + layer.digest(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("layer " + layer.digest() + ": apply interrupted");
    }
  }

  private Descriptor processed(
      StreamProcessors through,
      List<StreamProcessor> chain,
      Descriptor layer,
      List<Mount> mounts,
      ContentReader blob,
      Compression promised,
      Options options)
      throws IOException, InterruptedException {
    try (ProcessedLayer made =
        through.open(layer, chain, blob, options.payloads(), limits.bytesFor(blob.size()))) {
      try {
        return onTree(layer, mounts, made, promised, options);
      } catch (TarFormatException | CorruptStreamException e) {
        made.explain(e);
        throw e;
      }
    }
  }

  private Descriptor onTree(
      Descriptor layer,
      List<Mount> mounts,
      ContentReader blob,
      Compression promised,
      Options options)
      throws IOException, InterruptedException {
    return onTree(
        layer,
        mounts,
        options.isStandalone(),
        extractor -> extract(layer, blob, promised, extractor, options));
  }

  private interface Work {
    Descriptor on(LayerExtractor extractor) throws IOException, InterruptedException;
  }

  /** As {@link Work#on}, for a tree that stays where it is when nothing is mounted any more. */
  private Descriptor observed(Path tree, Descriptor layer, LayerExtractor extractor, Work work)
      throws IOException, InterruptedException {
    UnpackObserver told = observer;
    if (told == null) {
      return work.on(extractor);
    }
    SumTable sums = new SumTable();
    extractor.sumInto(sums);
    Descriptor plain = work.on(extractor);
    told.unpacked(tree, layer, plain, sums);
    return plain;
  }

  private Descriptor onTree(Descriptor layer, List<Mount> mounts, boolean standalone, Work work)
      throws IOException, InterruptedException {
    var overlay = Overlay.of(mounts);
    if (overlay.isPresent() && !inUserNamespace) {
      try (LayerExtractor extractor =
          standalone
              ? LayerExtractor.blindlyInto(overlay.get())
              : LayerExtractor.into(overlay.get())) {
        if (fromNothing) {
          extractor.ownRoot();
        }
        return observed(overlay.get().upper(), layer, extractor, work);
      }
    }
    if (standalone) {
      throw new MissingBelowException("only an overlay keeps what hides something below");
    }
    var folder = PlainFolder.of(mounts);
    if (folder.isPresent()) {
      try (LayerExtractor extractor = LayerExtractor.into(folder.get(), !inUserNamespace)) {
        return observed(folder.get(), layer, extractor, work);
      }
    }
    try (var tree = mounter.mount(mounts);
        LayerExtractor extractor = LayerExtractor.into(tree.root(), !inUserNamespace)) {
      return work.on(extractor);
    }
  }

  private Descriptor extract(
      Descriptor layer,
      ContentReader blob,
      Compression promised,
      LayerExtractor extractor,
      Options options)
      throws IOException, InterruptedException {
    BufferPool.Set set = buffers.take();
    BufferPipe pipe = new BufferPipe(set.plain());
    String name = layer.digest().hex().substring(0, 12);
    LongSupplier packedSize = blob instanceof ComingBlob coming ? coming::bytesRead : blob::size;
    FutureTask<Descriptor> extraction =
        new FutureTask<>(() -> extract(pipe, packedSize, extractor, options.syncFs()));
    Thread unpacking =
        Thread.ofPlatform()
            .name("unpack-" + name)
            .daemon(true)
            .start(() -> Decompression.run(blob, promised, set.packed(), pipe));
    Thread extracting =
        Thread.ofPlatform()
            .name("extract-" + name)
            .stackSize(STACK_BYTES)
            .daemon(true)
            .start(extraction);
    try {
      return result(extraction);
    } finally {
      pipe.cancel();
      unpacking.interrupt();
      extracting.interrupt();
      Ending.await(unpacking);
      Ending.await(extracting);
      buffers.give(set);
    }
  }

  /** Large layers take long; the operation that this is part of is listed, and cancelled. */
  private static <T> T result(FutureTask<T> task) throws IOException, InterruptedException {
    try {
      return task.get();
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException io -> throw io;
        case RuntimeException unchecked -> throw unchecked;
        case Error error -> throw error;
        case null, default -> throw new IOException(e.getCause());
      }
    }
  }

  private Descriptor extract(
      BufferPipe pipe, LongSupplier packedSize, LayerExtractor extractor, boolean sync)
      throws IOException {
    HashingSource plain = new HashingSource(new LimitedSource(pipe, limits, packedSize));
    extractor.rememberAtMost(limits.folderBytes());
    try {
      TarReader reader = new TarReader(plain);
      TarEntry entry = reader.next();
      long entries = 0;
      long seen = 0;
      while (entry != null) {
        entries++;
        seen += Math.min(entry.size(), Long.MAX_VALUE - seen);
        if (limits.bytes() != 0 && seen > limits.bytes()) {
          throw new LayerLimitException(
              "entry \"%s\": the files of the layer have more than %d bytes, holes included"
                  .formatted(entry.name().shown(), limits.bytes()));
        }
        if (limits.entries() != 0 && entries > limits.entries()) {
          throw new LayerLimitException(
              "entry \"%s\": more entries than the %d that a layer may have"
                  .formatted(entry.name().shown(), limits.entries()));
        }
        this.entries.accept(entry);
        try {
          extractor.add(entry, reader);
        } catch (LayerLimitException e) {
          throw new LayerLimitException(
              "entry \"" + entry.name().shown() + "\": " + e.getMessage());
        }
        entry = reader.next();
      }
      reader.drain();
      extractor.finish();
      if (sync) {
        extractor.sync();
      }
      return new Descriptor(PLAIN_LAYER, plain.digest(), plain.size());
    } finally {
      pipe.cancel();
    }
  }

  /** As the ports tell it, which do not know numbers of the kernel. */
  private static NoSpaceException noSpace(ErrnoException e) {
    NoSpaceException full = new NoSpaceException(e.subject());
    full.initCause(e);
    return full;
  }

  /** What a failure below means to the caller. */
  static ContainerdException failure(String subject, IOException e) {
    String message = subject + ": " + e.getMessage();
    return switch (e) {
      case TarFormatException _, CorruptStreamException _ -> new DataLossException(message, e);
      case EntryException _ -> new InvalidArgumentException(message, e);
      case MissingBelowException _ -> new FailedPreconditionException(message, e);
      case LayerLimitException _ -> new ResourceExhaustedException(message, e);
      case NoSpaceException _ -> new ResourceExhaustedException(message, e);
      case ErrnoException errno when errno.is(Errno.ENOSPC, Errno.EDQUOT) ->
          new ResourceExhaustedException(message + ": " + NoSpaceException.REMEDY, noSpace(errno));
      default ->
          e.getCause() instanceof ContainerdException known
              ? known
              : new UnknownException(message, e);
    };
  }
}
