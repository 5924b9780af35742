package io.jcontainerd.content;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.check.CheckedBlobs;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.content.IngestStatus;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.Time;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * Blobs and ingests in a folder: a backend, which knows neither namespaces nor labels. The layout
 * is told in the package's description. One daemon at a time may have a folder open.
 *
 * <p>No lock is held across a file operation but the lock of a ref, which its ingest holds from
 * opening to closing. The process may die, and the power may fail, at any step.
 */
public final class LocalContentStore implements ContentStore {
  private static final Logger LOG = System.getLogger(LocalContentStore.class.getName());
  private static final int FOLDER_MODE = 0755;
  private static final int ROOT_MODE = 0700;

  private final Path root;
  private final Path blobs;
  private final Path ingests;
  private final Files files;
  private final Time time;
  private final String bootId;
  private final Leftovers leftovers;

  /** Since when each ref is held. */
  private final Map<String, Instant> held = new ConcurrentHashMap<>();

  private LocalContentStore(Path root, Files files, Time time, String bootId) {
    this.root = root;
    this.blobs = root.resolve("blobs");
    this.ingests = root.resolve("ingest");
    this.files = files;
    this.time = time;
    this.bootId = bootId;
    this.leftovers = new Leftovers(files);
  }

  /**
   * Opens the store below a folder, which is made if need be, and removes what a dead process left.
   *
   * @param bootId changes with every boot of the machine; no spaces
   * @throws ContainerdException if the folder cannot be used
   */
  public static LocalContentStore open(Path root, Files files, Time time, String bootId) {
    if (bootId.isEmpty() || bootId.contains(" ")) {
      throw new InvalidArgumentException("boot id \"" + bootId + "\" must be one word");
    }
    var store = new LocalContentStore(root, files, time, bootId);
    try {
      store.prepare(root);
    } catch (IOException e) {
      throw IoFailures.of("content store " + root + ": open", e);
    }
    return store;
  }

  private void prepare(Path root) throws IOException {
    var touched = new ArrayList<Path>(List.of(root));
    for (Path parent = root.getParent(); parent != null; parent = parent.getParent()) {
      touched.add(parent);
      if (files.stat(parent).isPresent()) {
        break;
      }
    }
    files.createDirectories(root, ROOT_MODE);
    files.createDirectories(blobs.resolve("sha256"), FOLDER_MODE);
    files.createDirectories(ingests, FOLDER_MODE);
    // A process that died may have made folders and not forced them, so what is there is forced
    // too.
    files.forceDirectory(blobs);
    for (Path folder : touched) {
      files.forceDirectory(folder);
    }
    for (String name : files.list(ingests)) {
      var folder = new IngestFolder(files, ingests.resolve(name));
      if (name.startsWith(".") || folder.status().isEmpty()) {
        LOG.log(Level.INFO, "content store: removing unfinished ingest folder {0}", folder.path());
        files.deleteTree(folder.path());
      } else {
        folder.tidy();
      }
    }
  }

  /** Its blobs as files that can be checked. */
  public CheckedBlobs checked() {
    return new BlobCare(root, files);
  }

  Files files() {
    return files;
  }

  Time time() {
    return time;
  }

  String bootId() {
    return bootId;
  }

  Path blob(Digest digest) {
    return blobs.resolve(digest.algorithm()).resolve(digest.hex());
  }

  /** The folder of an algorithm's blobs, made durable if it is new. */
  Path folderFor(String algorithm) throws IOException {
    Path folder = blobs.resolve(algorithm);
    if (files.stat(folder).isEmpty()) {
      files.createDirectories(folder, FOLDER_MODE);
      files.forceDirectory(blobs);
    }
    return folder;
  }

  void discard(IngestFolder folder) {
    leftovers.discard(folder.path());
  }

  void unlock(String ref) {
    held.remove(ref);
  }

  @Override
  public Optional<ContentInfo> find(Digest digest) {
    try {
      return files
          .stat(blob(digest))
          .filter(stat -> stat.type() == FileStat.Type.REGULAR)
          .map(stat -> info(digest, stat));
    } catch (IOException e) {
      throw IoFailures.of("content " + digest, e);
    }
  }

  private static ContentInfo info(Digest digest, FileStat stat) {
    return new ContentInfo(digest, stat.size(), stat.modified(), stat.modified(), Map.of());
  }

  /**
   * Labels live in the metadata above this store.
   *
   * @throws FailedPreconditionException always, unless the blob is missing
   */
  @Override
  public ContentInfo update(ContentInfo info, FieldMask mask) {
    info(info.digest());
    throw new FailedPreconditionException(
        "content " + info.digest() + ": this store keeps no labels");
  }

  @Override
  public void walk(Filter filter, Consumer<ContentInfo> each) {
    for (String algorithm : list(blobs)) {
      if (!algorithm.startsWith(".")) {
        walk(algorithm, filter, each);
      }
    }
  }

  private void walk(String algorithm, Filter filter, Consumer<ContentInfo> each) {
    for (String hex : list(blobs.resolve(algorithm))) {
      Digest digest;
      try {
        digest = new Digest(algorithm, hex);
      } catch (InvalidArgumentException e) {
        LOG.log(
            Level.WARNING,
            "content store: {0} is no blob and is left alone",
            blobs.resolve(algorithm).resolve(hex));
        continue;
      }
      find(digest)
          .filter(
              info ->
                  filter.matches(
                      path ->
                          path.getFirst().equals("digest")
                              ? Optional.of(info.digest().toString())
                              : Optional.empty()))
          .ifPresent(each);
    }
  }

  private List<String> list(Path folder) {
    try {
      return files.list(folder);
    } catch (IOException e) {
      throw IoFailures.of("content store: list " + folder, e);
    }
  }

  @Override
  public void delete(Digest digest) {
    try {
      files.delete(blob(digest));
    } catch (NoSuchFileException e) {
      throw new NotFoundException("content " + digest, e);
    } catch (IOException e) {
      throw IoFailures.of("content " + digest + ": delete", e);
    }
  }

  @Override
  public ContentReader reader(Digest digest) {
    Files.Handle file;
    try {
      file = files.open(blob(digest), Files.Open.READ, 0);
    } catch (NoSuchFileException e) {
      throw new NotFoundException("content " + digest, e);
    } catch (IOException e) {
      throw IoFailures.of("content " + digest + ": open", e);
    }
    try {
      return new LocalReader(digest, file);
    } catch (IOException e) {
      throw IoFailures.of("content " + digest + ": open", closing(file, e));
    }
  }

  private static IOException closing(Files.Handle file, IOException failure) {
    try {
      file.close();
    } catch (IOException second) {
      failure.addSuppressed(second);
    }
    return failure;
  }

  @Override
  public Ingest ingest(IngestRequest request) {
    String ref = request.ref();
    if (request.expected().isPresent() && find(request.expected().get()).isPresent()) {
      throw new AlreadyExistsException("content " + request.expected().get());
    }
    Instant since = held.putIfAbsent(ref, time.now());
    if (since != null) {
      throw new UnavailableException(
          "ref %s locked for %s (since %s)"
              .formatted(ref, seconds(Duration.between(since, time.now())), since));
    }
    try {
      return open(request);
    } catch (IOException e) {
      unlock(ref);
      throw IoFailures.of("ingest ref " + ref + ": open", e);
    } catch (RuntimeException | Error e) {
      unlock(ref);
      throw e;
    }
  }

  private static String seconds(Duration duration) {
    return java.math.BigDecimal.valueOf(duration.toMillis(), 3).stripTrailingZeros().toPlainString()
        + "s";
  }

  private Ingest open(IngestRequest request) throws IOException {
    var folder = new IngestFolder(files, ingests.resolve(IngestFolder.name(request.ref())));
    Optional<IngestStatus> before = folder.status();
    if (before.isEmpty() && folder.exists()) {
      leftovers.bury(folder.path());
    }
    IngestStatus status;
    if (before.isPresent()) {
      status = before.get();
      agree(request, status, folder);
    } else {
      Instant now = time.now();
      folder.create(request, bootId, now);
      status = new IngestStatus(request.ref(), 0, request.total(), request.expected(), now, now);
    }
    Files.Handle data = folder.open();
    try {
      long trusted = folder.trusted(bootId, status.offset());
      if (trusted < status.offset()) {
        data.truncate(trusted);
      }
      return new LocalIngest(
          this,
          folder,
          data,
          request,
          new IngestStatus(
              status.ref(),
              trusted,
              status.total(),
              request.expected(),
              status.startedAt(),
              status.updatedAt()));
    } catch (IOException e) {
      throw closing(data, e);
    }
  }

  private static void agree(IngestRequest request, IngestStatus status, IngestFolder folder)
      throws IOException {
    if (request.total() == 0 || request.total() == status.total()) {
      return;
    }
    if (status.total() > 0) {
      throw new FailedPreconditionException(
          "ingest ref %s: total %d differs from %d given before"
              .formatted(request.ref(), request.total(), status.total()));
    }
    folder.setTotal(request.total());
  }

  @Override
  public IngestStatus status(String ref) {
    try {
      return new IngestFolder(files, ingests.resolve(IngestFolder.name(ref)))
          .status()
          .orElseThrow(() -> new NotFoundException("ingest ref " + ref));
    } catch (IOException e) {
      throw IoFailures.of("ingest ref " + ref, e);
    }
  }

  @Override
  public Optional<ContentReader> ingestReader(String ref) {
    Path data = new IngestFolder(files, ingests.resolve(IngestFolder.name(ref))).data();
    try {
      return Optional.of(new IngestReader(ref, files.open(data, Files.Open.READ, 0)));
    } catch (NoSuchFileException _) {
      return Optional.empty();
    } catch (IOException e) {
      throw IoFailures.of("ingest ref " + ref + ": open", e);
    }
  }

  @Override
  public List<IngestStatus> statuses(Filter filter) {
    var found = new ArrayList<IngestStatus>();
    for (String name : list(ingests)) {
      if (name.startsWith(".")) {
        continue;
      }
      try {
        new IngestFolder(files, ingests.resolve(name)).status().ifPresent(found::add);
      } catch (IOException e) {
        throw IoFailures.of("ingest folder " + name, e);
      }
    }
    return found.stream()
        .filter(
            status ->
                filter.matches(
                    path ->
                        path.getFirst().equals("ref")
                            ? Optional.of(status.ref())
                            : Optional.empty()))
        .toList();
  }

  /** Also ends an ingest that is open: it can no longer be committed. */
  @Override
  public void abort(String ref) {
    try {
      leftovers.bury(ingests.resolve(IngestFolder.name(ref)));
    } catch (NoSuchFileException e) {
      throw new NotFoundException("ingest ref " + ref, e);
    } catch (IOException e) {
      throw IoFailures.of("ingest ref " + ref + ": abort", e);
    }
  }

  @Override
  public void cleanup() {
    leftovers.sweep();
  }
}
