package io.jcontainerd.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.containers.ContainerStore;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.images.ImageStore;
import io.jcontainerd.core.leases.LeaseStore;
import io.jcontainerd.core.namespaces.NamespaceStore;
import io.jcontainerd.core.namespaces.NamespaceStore.Namespace;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.core.snapshots.Snapshotter;
import java.lang.reflect.Method;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;

/**
 * Every contract of a daemon's stores, for one daemon: in this process, behind a socket, or
 * somebody else's. Each test has a namespace of its own, so that one daemon serves them all.
 */
public abstract class DaemonContract {
  private static final AtomicInteger NAMESPACES = new AtomicInteger();

  private final String namespace =
      "contract-" + ProcessHandle.current().pid() + "-" + NAMESPACES.incrementAndGet();

  /** For subclasses. */
  protected DaemonContract() {}

  /** The daemon's stores. All but the namespaces work in the namespace of the current call. */
  protected abstract Stores stores();

  /**
   * The stores after the daemon was closed and opened again, where that can be done; else the same
   * again.
   */
  protected Stores reopened() {
    return stores();
  }

  /** The daemon's time. */
  protected Instant now() {
    return Instant.now();
  }

  /** Whether a namespace must bring its own bytes unless the owner shares. */
  protected boolean isolated() {
    return false;
  }

  /** What the content store has not. */
  protected Set<ContentStoreContract.Trait> contentLeavesOut() {
    return EnumSet.noneOf(ContentStoreContract.Trait.class);
  }

  /** What the collection of garbage does not know. */
  protected Set<GarbageCollectionContract.Trait> collectionLeavesOut() {
    return EnumSet.noneOf(GarbageCollectionContract.Trait.class);
  }

  /**
   * Tests in which this daemon differs, and why it may; they are skipped. By name, where need be
   * with the class here and a dot before it.
   */
  protected Map<String, String> deviations() {
    return Map.of();
  }

  @BeforeEach
  final void skipDeviations(TestInfo test) {
    String method = test.getTestMethod().map(Method::getName).orElse("");
    String contract = test.getTestClass().map(Class::getSimpleName).orElse("");
    for (String name : List.of(method, contract + "." + method)) {
      Assumptions.assumeFalse(
          deviations().containsKey(name), () -> name + ": " + deviations().get(name));
    }
  }

  private <T> T own(Class<T> type, T store) {
    return InNamespace.of(namespace, type, store);
  }

  /** Its own, held by a lease: collections come when they please. */
  private <T> T held(Class<T> type, T store) {
    LeaseStore leases = own(LeaseStore.class, stores().leases());
    if (leases.list(Filter.parse("id==contract")).isEmpty()) {
      leases.create("contract", Map.of());
    }
    return InNamespace.leased(namespace, "contract", type, store);
  }

  /** Names of images. */
  @Nested
  public class Images extends ImageStoreContract {
    /** For JUnit. */
    public Images() {}

    @Override
    protected ImageStore open() {
      return own(ImageStore.class, stores().images());
    }
  }

  /** Records of containers. */
  @Nested
  public class Containers extends ContainerStoreContract {
    /** For JUnit. */
    public Containers() {}

    @Override
    protected ContainerStore open() {
      return own(ContainerStore.class, stores().containers());
    }
  }

  /** Namespaces themselves. */
  @Nested
  public class Namespaces extends NamespaceStoreContract {
    /** For JUnit. */
    public Namespaces() {}

    private final Set<String> before = new TreeSet<>();

    @BeforeEach
    void look() {
      stores().namespaces().list().stream().map(Namespace::name).forEach(before::add);
    }

    @AfterEach
    void tidy() {
      for (Namespace left : stores().namespaces().list()) {
        if (!before.contains(left.name())) {
          stores().namespaces().delete(left.name());
        }
      }
    }

    @Override
    protected NamespaceStore open() {
      return stores().namespaces();
    }

    @Test
    void only_an_empty_namespace_can_be_deleted() {
      NamespaceStore namespaces = open();
      ImageStore images = InNamespace.of("used", ImageStore.class, stores().images());
      Snapshotter snapshots = InNamespace.of("used", Snapshotter.class, stores().snapshots());
      var target = new Descriptor("a/b", Digest.sha256(new byte[] {1}), 1);
      images.create(
          new Image("image", target, Map.of(), Instant.EPOCH, Instant.EPOCH), Optional.empty());
      Prepared _ = snapshots.prepare("key", "", Map.of("containerd.io/gc.root", "x"));
      assertThat(namespaces.list()).extracting(Namespace::name).contains("used");
      assertThatThrownBy(() -> namespaces.delete("used"))
          .isInstanceOf(FailedPreconditionException.class)
          .hasMessageContaining("images")
          .hasMessageContaining("snapshots");
      images.delete("image", Optional.empty(), true);
      snapshots.remove("key");
      namespaces.delete("used");
      assertThat(namespaces.list()).extracting(Namespace::name).doesNotContain("used");
    }
  }

  /** Leases. */
  @Nested
  public class Leases extends LeaseStoreContract {
    /** For JUnit. */
    public Leases() {}

    @Override
    protected LeaseStore open() {
      return own(LeaseStore.class, stores().leases());
    }
  }

  /** Blobs. */
  @Nested
  public class Content extends ContentStoreContract {
    /** For JUnit. */
    public Content() {}

    private boolean opened;

    @Override
    protected ContentStore open() {
      Stores all = opened ? reopened() : stores();
      opened = true;
      return held(ContentStore.class, all.content());
    }

    @Override
    protected Set<ContentStoreContract.Trait> leavesOut() {
      return contentLeavesOut();
    }
  }

  /** Blobs between namespaces. */
  @Nested
  public class Sharing extends ContentSharingContract {
    /** For JUnit. */
    public Sharing() {}

    @Override
    protected Stores stores() {
      return DaemonContract.this.stores();
    }

    @Override
    protected boolean isolated() {
      return DaemonContract.this.isolated();
    }
  }

  /** Snapshots, as far as records go. */
  @Nested
  public class Snapshots extends SnapshotterContract {
    /** For JUnit. */
    public Snapshots() {}

    private boolean opened;

    @Override
    protected Snapshotter open() {
      Stores all = opened ? reopened() : stores();
      opened = true;
      return held(Snapshotter.class, all.snapshots());
    }
  }

  /** What is kept and what goes. */
  @Nested
  public class Garbage extends GarbageCollectionContract {
    /** For JUnit. */
    public Garbage() {}

    @Override
    protected Stores stores() {
      return DaemonContract.this.stores();
    }

    @Override
    protected Instant now() {
      return DaemonContract.this.now();
    }

    @Override
    protected Set<GarbageCollectionContract.Trait> leavesOut() {
      return collectionLeavesOut();
    }
  }
}
