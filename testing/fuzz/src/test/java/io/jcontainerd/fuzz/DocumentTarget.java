package io.jcontainerd.fuzz;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.oci.image.ImageConfig;
import io.jcontainerd.oci.image.ImageDocument;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.oci.json.Json;
import java.util.List;
import java.util.function.Supplier;

/**
 * JSON documents of images and bundles: read, or refused with a sentence; what was read and written
 * again is read as the same.
 */
public final class DocumentTarget {
  private DocumentTarget() {}

  /** Runs one input. */
  public static void fuzzerTestOneInput(byte[] input) {
    refusable(
        () -> {
          Json json = Json.parse(input);
          same(json, Json.parse(json.toBytes()));
          return json;
        });
    for (String type : List.of("", MediaTypes.MANIFEST, MediaTypes.INDEX, MediaTypes.DOCKER_LIST)) {
      refusable(
          () -> {
            ImageDocument document = ImageDocument.parse(input, type);
            same(document, ImageDocument.parse(document.toBytes(), document.mediaType()));
            return document;
          });
    }
    refusable(
        () -> {
          ImageConfig config = ImageConfig.parse(input);
          List<Supplier<Object>> questions =
              List.of(
                  config::platform,
                  config::diffIds,
                  config::env,
                  config::entrypoint,
                  config::command,
                  config::workingDir,
                  config::user,
                  config::stopSignal,
                  config::labels);
          questions.forEach(DocumentTarget::refusable);
          return config;
        });
  }

  private static void same(Object first, Object second) {
    if (!first.equals(second)) {
      throw new AssertionError(first + "\nbecame\n" + second);
    }
  }

  private static void refusable(Supplier<?> reading) {
    try {
      var _ = reading.get();
    } catch (InvalidArgumentException e) {
      if (e.getMessage() == null || e.getMessage().isBlank()) {
        throw new AssertionError("refused without a word", e);
      }
    }
  }
}
