package io.jcontainerd.transfer;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.images.ImageStore;
import io.jcontainerd.core.transfer.ImageSelection;
import io.jcontainerd.core.transfer.ImageSelection.ExtraReference;
import io.jcontainerd.core.transfer.TransferProgress.Event;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Names in the image store.
 *
 * @param images where they are
 */
record ImageNames(ImageStore images) {
  private static final int MOST_TRIES = 5;

  /**
   * Gives an image all its names. As with containerd, a name that another image has goes over to
   * this one, whatever a further reference says of overwriting: no client asks for that.
   *
   * @throws InvalidArgumentException if there is none
   */
  List<Image> save(ImageSelection selection, Descriptor target, Notices notices) {
    Set<String> names = selection.namesOf(target.digest());
    if (names.isEmpty()) {
      throw new InvalidArgumentException("an image needs a name");
    }
    List<Image> saved = new ArrayList<>();
    for (String name : names) {
      saved.add(save(name, target, selection.labels()));
      notices.event(Event.SAVED, name, target);
    }
    return List.copyOf(saved);
  }

  /**
   * The images that a selection names, each once.
   *
   * @throws NotFoundException if there is one that is not here
   */
  List<Image> find(ImageSelection selection) {
    Map<String, Image> found = new LinkedHashMap<>();
    if (!selection.name().isEmpty()) {
      found.put(selection.name(), images.get(selection.name()));
    }
    for (ExtraReference reference : selection.references()) {
      if (reference.isPrefix()) {
        images.list(Filter.ALL).stream()
            .filter(image -> image.name().startsWith(reference.name()))
            .forEach(image -> found.put(image.name(), image));
      } else {
        found.put(reference.name(), images.get(reference.name()));
      }
    }
    return List.copyOf(found.values());
  }

  /** Gives an image a name, which is taken from another image that has it. */
  Image save(String name, Descriptor target, Map<String, String> labels) {
    Image image = new Image(name, target, labels, Instant.EPOCH, Instant.EPOCH);
    List<String> paths = new ArrayList<>(List.of("target"));
    labels.keySet().forEach(key -> paths.add("labels." + key));
    for (int attempt = 1; ; attempt++) {
      try {
        return images.create(image, Optional.empty());
      } catch (AlreadyExistsException _) {
        try {
          return images.update(image, new FieldMask(paths), Optional.empty());
        } catch (NotFoundException gone) {
          if (attempt >= MOST_TRIES) {
            throw gone;
          } // else it was removed in between: create it after all
        }
      }
    }
  }
}
