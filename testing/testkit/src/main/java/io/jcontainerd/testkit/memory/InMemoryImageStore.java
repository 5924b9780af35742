package io.jcontainerd.testkit.memory;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Fields;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.images.ImageStore;
import io.jcontainerd.core.ports.Time;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Images in memory. Safe for many threads. */
public final class InMemoryImageStore implements ImageStore {
  private final Spaces<String, Image> images = new Spaces<>();
  private final Time time;

  /** An empty store that reads this clock. */
  public InMemoryImageStore(Time time) {
    this.time = time;
  }

  /** An empty store. */
  public InMemoryImageStore() {
    this(Time.SYSTEM);
  }

  @Override
  public synchronized Image get(String name) {
    Image image = images.current().get(name);
    if (image == null) {
      throw new NotFoundException("image \"" + name + "\"");
    }
    return image;
  }

  @Override
  public synchronized List<Image> list(Filter filter) {
    return images.current().values().stream()
        .filter(image -> filter.matches(fields(image)))
        .toList();
  }

  private static Fields fields(Image image) {
    return path ->
        switch (path.getFirst()) {
          case "name" -> Fields.nonEmpty(image.name());
          case "target" ->
              switch (path.size() > 1 ? path.get(1) : "") {
                case "digest" -> Optional.of(image.target().digest().toString());
                case "mediatype" -> Fields.nonEmpty(image.target().mediaType());
                default -> Optional.empty();
              };
          case "labels" -> Fields.entry(image.labels(), path);
          case "annotations" -> Fields.entry(image.target().annotations(), path);
          default -> Optional.empty();
        };
  }

  @Override
  public synchronized Image create(Image image, Optional<Instant> sourceDateEpoch) {
    if (image.name().isEmpty()) {
      throw new InvalidArgumentException("image name must not be empty");
    }
    check(image);
    Instant now = time.now();
    var stored =
        new Image(
            image.name(),
            image.target(),
            Labels.stored(image.labels()),
            sourceDateEpoch.orElse(now),
            now);
    if (images.current().putIfAbsent(image.name(), stored) != null) {
      throw new AlreadyExistsException("image \"" + image.name() + "\"");
    }
    return stored;
  }

  private static void check(Image image) {
    if (image.target().mediaType().isEmpty() || image.target().size() <= 0) {
      throw new InvalidArgumentException(
          "image \"" + image.name() + "\": target without media type or size");
    }
    Labels.check(image.labels());
  }

  @Override
  public synchronized Image update(Image image, FieldMask mask, Optional<Instant> sourceDateEpoch) {
    Image old = get(image.name());
    Map<String, String> labels = old.labels();
    Descriptor target = old.target();
    if (mask.isAll()) {
      labels = image.labels();
      target = image.target();
    }
    for (String path : mask.paths()) {
      if (FieldMask.selects(path, "labels")) {
        labels = FieldMask.patch(path, "labels", labels, image.labels());
      } else if (path.equals("target")) {
        target = image.target();
      } else if (FieldMask.selects(path, "annotations")) {
        target =
            new Descriptor(
                target.mediaType(),
                target.digest(),
                target.size(),
                FieldMask.patch(
                    path, "annotations", target.annotations(), image.target().annotations()));
      } else {
        throw FieldMask.refused(path, "image");
      }
    }
    var updated =
        new Image(
            old.name(),
            target,
            Labels.stored(labels),
            sourceDateEpoch.orElse(old.createdAt()),
            time.now());
    check(updated);
    images.current().put(old.name(), updated);
    return updated;
  }

  @Override
  public synchronized void delete(String name, Optional<Digest> target, boolean sync) {
    Image image = get(name);
    if (target.isPresent() && !target.get().equals(image.target().digest())) {
      throw new NotFoundException("image \"" + name + "\" with target " + target.get());
    }
    images.current().remove(name);
  }
}
