package io.jcontainerd.client;

import static java.util.Map.entry;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jcontainerd.testkit.contract.ContentStoreContract;
import io.jcontainerd.testkit.contract.DaemonContract;
import io.jcontainerd.testkit.contract.GarbageCollectionContract;
import io.jcontainerd.testkit.contract.Stores;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every contract on the distribution's containerd: what they ask for is what containerd does, not
 * only what we do.
 */
@Tag("root")
@Timeout(300)
@SuppressWarnings("NullAway.Init")
class ReferenceContractsTest extends DaemonContract {
  /** Where release 1.6 is not yet what containerd is today, or answers in other words. */
  private static final Map<String, String> DEVIATIONS =
      Map.ofEntries(
          entry(
              "a_view_is_mounted_read_only_and_cannot_be_committed",
              "native measures the view's folder before it looks at its kind"),
          entry("another_parent_can_be_given_with_the_commit_or_is_refused", "newer than 1.6"),
          entry("only_committed_snapshots_can_be_parents", "answers invalid argument"),
          entry("a_removed_image_is_gone_and_one_with_another_target_stays", "newer than 1.6"),
          entry("the_time_of_creation_can_be_told", "newer than 1.6"),
          entry("a_resource_is_of_a_known_type", "images are newer than 1.6"),
          entry(
              "Containers.fields_change_by_mask",
              "an update of a container answers without its times"),
          entry("a_resumed_ingest_must_agree_on_the_total", "the total of a stream may change"),
          entry("a_blob_may_be_named_by_a_longer_hash", "sha256 only"),
          entry("an_isolated_namespace_may_share_what_it_has", "newer than 1.6"),
          entry("Leases.labels_that_are_too_long_are_refused", "labels of leases are not checked"),
          entry("a_longer_hash_is_gone_on_with", "sha256 only"),
          entry(
              "an_ingest_that_is_aborted_while_it_is_open_cannot_become_a_blob",
              "its folder is written on"),
          entry(
              "a_walk_may_ask_for_more_and_ends_with_its_failure",
              "info does not tell when a blob was updated"));

  private static ReferenceDaemon daemon;
  private static Containerd client;

  @BeforeAll
  static void start(@TempDir Path folder) throws Exception {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/containerd")), "no containerd here");
    daemon = ReferenceDaemon.start(folder.resolve("d"), "isolated");
    client = Containerd.connect(daemon.address());
  }

  @AfterAll
  static void stop() {
    if (client != null) {
      client.close();
      daemon.close();
    }
  }

  @Override
  protected Stores stores() {
    return EngineStack.stores(client, "native");
  }

  @Override
  protected Set<ContentStoreContract.Trait> contentLeavesOut() {
    return EnumSet.of(
        ContentStoreContract.Trait.READS_WHAT_IS_DELETED, ContentStoreContract.Trait.READS_INGESTS);
  }

  @Override
  protected Set<GarbageCollectionContract.Trait> collectionLeavesOut() {
    return EnumSet.allOf(GarbageCollectionContract.Trait.class);
  }

  @Override
  protected boolean isolated() {
    return true; // or else blobs of one test would be met by the next
  }

  @Override
  protected Map<String, String> deviations() {
    return DEVIATIONS;
  }
}
