package io.jcontainerd.wire;

import com.google.protobuf.Timestamp;
import io.jcontainerd.api.storage.v1.CheckResponse;
import io.jcontainerd.api.storage.v1.DiskUsageResponse;
import io.jcontainerd.api.storage.v1.Outcome;
import io.jcontainerd.api.storage.v1.ScrubStatusResponse;
import io.jcontainerd.api.storage.v1.Subject;
import io.jcontainerd.api.storage.v1.WhyKeptResponse;
import io.jcontainerd.core.check.Damage;
import io.jcontainerd.core.check.Finding;
import io.jcontainerd.core.check.StorageCare;
import io.jcontainerd.core.check.StorageExplainer;
import io.jcontainerd.core.failure.InvalidArgumentException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Checks of the storage, and explanations of it. */
public final class Storages {
  private Storages() {}

  /** A finding. */
  public static CheckResponse toApi(Finding finding) {
    return CheckResponse.newBuilder()
        .setFinding(
            io.jcontainerd.api.storage.v1.Finding.newBuilder()
                .setSubject(
                    switch (finding.subject()) {
                      case BLOB -> Subject.BLOB;
                      case LAYER -> Subject.LAYER;
                      case RECORD -> Subject.RECORD;
                    })
                .setName(finding.name())
                .addAllNamespaces(finding.namespaces())
                .setPath(finding.path())
                .setDamage(finding.damage().name())
                .setWords(finding.damage().words())
                .setDetail(finding.detail())
                .setOutcome(
                    switch (finding.outcome()) {
                      case FOUND -> Outcome.FOUND;
                      case HEALED -> Outcome.HEALED;
                      case SET_ASIDE -> Outcome.SET_ASIDE;
                      case LEFT -> Outcome.LEFT;
                    })
                .setAdvice(finding.advice()))
        .build();
  }

  /** A finding. */
  public static Finding toCore(io.jcontainerd.api.storage.v1.Finding finding) {
    return new Finding(
        switch (finding.getSubject()) {
          case BLOB -> Finding.Subject.BLOB;
          case LAYER -> Finding.Subject.LAYER;
          case RECORD, SUBJECT_UNSPECIFIED, UNRECOGNIZED -> Finding.Subject.RECORD;
        },
        finding.getName(),
        finding.getNamespacesList(),
        finding.getPath(),
        damage(finding.getDamage()),
        finding.getDetail(),
        switch (finding.getOutcome()) {
          case FOUND -> Finding.Outcome.FOUND;
          case HEALED -> Finding.Outcome.HEALED;
          case SET_ASIDE -> Finding.Outcome.SET_ASIDE;
          case LEFT, OUTCOME_UNSPECIFIED, UNRECOGNIZED -> Finding.Outcome.LEFT;
        },
        finding.getAdvice());
  }

  private static Damage damage(String name) {
    try {
      return Damage.valueOf(name);
    } catch (IllegalArgumentException e) {
      throw new InvalidArgumentException("a damage that this client does not know: " + name, e);
    }
  }

  /** The end of a check. */
  public static CheckResponse toApi(StorageCare.Summary summary) {
    return CheckResponse.newBuilder()
        .setSummary(
            io.jcontainerd.api.storage.v1.Summary.newBuilder()
                .setBlobs(summary.blobs())
                .setLayers(summary.layers())
                .setFiles(summary.files())
                .setBytesRead(summary.bytes())
                .setUnrecorded(summary.unrecorded())
                .setFound(summary.found())
                .setHealed(summary.healed())
                .setTook(
                    com.google.protobuf.Duration.newBuilder()
                        .setSeconds(summary.took().toSeconds())
                        .setNanos(summary.took().toNanosPart())))
        .build();
  }

  /** The end of a check. */
  public static StorageCare.Summary toCore(io.jcontainerd.api.storage.v1.Summary summary) {
    return new StorageCare.Summary(
        summary.getBlobs(),
        summary.getLayers(),
        summary.getFiles(),
        summary.getBytesRead(),
        summary.getUnrecorded(),
        summary.getFound(),
        summary.getHealed(),
        Duration.ofSeconds(summary.getTook().getSeconds(), summary.getTook().getNanos()));
  }

  /** How far the scrub is. */
  public static ScrubStatusResponse toApi(StorageCare.Scrub scrub) {
    var response =
        ScrubStatusResponse.newBuilder()
            .setRunning(scrub.running())
            .setWaiting(scrub.waiting())
            .setLooked(scrub.looked())
            .setBytesRead(scrub.bytes())
            .setQuarantined(scrub.quarantined());
    scrub.roundBegan().map(Times::toApi).ifPresent(response::setRoundBegan);
    scrub.lastRound().map(Times::toApi).ifPresent(response::setLastRound);
    return response.build();
  }

  /** How far the scrub is. */
  public static StorageCare.Scrub toCore(ScrubStatusResponse scrub) {
    return new StorageCare.Scrub(
        scrub.getRunning(),
        scrub.getWaiting(),
        scrub.getLooked(),
        scrub.getBytesRead(),
        time(scrub.hasRoundBegan(), scrub.getRoundBegan()),
        time(scrub.hasLastRound(), scrub.getLastRound()),
        scrub.getQuarantined());
  }

  private static Optional<Instant> time(boolean present, Timestamp time) {
    return Times.toCore(present, time);
  }

  /** Why something stays. */
  public static WhyKeptResponse toApi(List<StorageExplainer.Kept> all) {
    var response = WhyKeptResponse.newBuilder();
    for (StorageExplainer.Kept kept : all) {
      var one =
          io.jcontainerd.api.storage.v1.Kept.newBuilder()
              .setNamespace(kept.namespace())
              .setKind(kept.kind())
              .setName(kept.name())
              .setEnd(kept.end());
      for (StorageExplainer.Link link : kept.chain()) {
        one.addChain(
            io.jcontainerd.api.storage.v1.Link.newBuilder()
                .setKind(link.kind())
                .setName(link.name())
                .setBecause(link.because()));
      }
      kept.until().map(Times::toApi).ifPresent(one::setUntil);
      response.addKept(one);
    }
    return response.build();
  }

  /** Why something stays. */
  public static List<StorageExplainer.Kept> toCore(WhyKeptResponse response) {
    return response.getKeptList().stream()
        .map(
            kept ->
                new StorageExplainer.Kept(
                    kept.getNamespace(),
                    kept.getKind(),
                    kept.getName(),
                    kept.getChainList().stream()
                        .map(
                            link ->
                                new StorageExplainer.Link(
                                    link.getKind(), link.getName(), link.getBecause()))
                        .toList(),
                    time(kept.hasUntil(), kept.getUntil()),
                    kept.getEnd()))
        .toList();
  }

  /** What things take. */
  public static DiskUsageResponse toApi(StorageExplainer.DiskUsage usage) {
    var response =
        DiskUsageResponse.newBuilder()
            .setContentBytes(usage.contentBytes())
            .setSnapshotBytes(usage.snapshotBytes())
            .setUnusedBytes(usage.unusedBytes());
    for (StorageExplainer.Usage one : usage.each()) {
      response.addUsage(
          io.jcontainerd.api.storage.v1.Usage.newBuilder()
              .setNamespace(one.namespace())
              .setKind(one.kind())
              .setName(one.name())
              .setContentBytes(one.contentBytes())
              .setSnapshotBytes(one.snapshotBytes())
              .setUniqueBytes(one.uniqueBytes())
              .setSharedBytes(one.sharedBytes()));
    }
    return response.build();
  }

  /** What things take. */
  public static StorageExplainer.DiskUsage toCore(DiskUsageResponse response) {
    return new StorageExplainer.DiskUsage(
        response.getUsageList().stream()
            .map(
                one ->
                    new StorageExplainer.Usage(
                        one.getNamespace(),
                        one.getKind(),
                        one.getName(),
                        one.getContentBytes(),
                        one.getSnapshotBytes(),
                        one.getUniqueBytes(),
                        one.getSharedBytes()))
            .toList(),
        response.getContentBytes(),
        response.getSnapshotBytes(),
        response.getUnusedBytes());
  }
}
