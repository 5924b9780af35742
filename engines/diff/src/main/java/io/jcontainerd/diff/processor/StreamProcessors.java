package io.jcontainerd.diff.processor;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.ports.Processes;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The programs that the configuration has for media types of layers that nobody here knows, such as
 * those of encrypted ones, or that somebody wants to unpack otherwise. Safe for many threads.
 */
public final class StreamProcessors {
  /** Whoever moves nothing for this long does nothing any more. */
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private static final String PLAIN = "application/vnd.oci.image.layer.v1.tar";
  private static final String MEDIA_TYPE = "STREAM_PROCESSOR_MEDIATYPE";

  /** Of what each writes to its standard error. */
  private static final int MAX_ERROR = 32 << 10;

  private final List<StreamProcessor> all;
  private final Processes processes;
  private final Map<String, String> environment;
  private final Duration patience;

  /**
   * @param all of two for the same media type the first counts
   * @param environment of all programs
   */
  public StreamProcessors(
      List<StreamProcessor> all, Processes processes, Map<String, String> environment) {
    this(all, processes, environment, PATIENCE);
  }

  /**
   * @param patience for which programs may move nothing
   */
  public StreamProcessors(
      List<StreamProcessor> all,
      Processes processes,
      Map<String, String> environment,
      Duration patience) {
    this.all = List.copyOf(all);
    this.processes = processes;
    this.environment = Map.copyOf(environment);
    this.patience = patience;
  }

  /** The programs that a layer goes through, in order; often none. */
  public List<StreamProcessor> chain(String mediaType) {
    List<StreamProcessor> chain = new ArrayList<>();
    String type = mediaType;
    while (true) {
      Optional<StreamProcessor> next = accepting(type);
      if (next.isEmpty()) {
        return chain;
      }
      if (chain.contains(next.get())) {
        throw new InvalidArgumentException(
            "media type %s: the stream processors %s go round in a circle"
                .formatted(mediaType, chain.stream().map(StreamProcessor::id).toList()));
      }
      chain.add(next.get());
      type = next.get().returns();
    }
  }

  private Optional<StreamProcessor> accepting(String type) {
    return type.equals(PLAIN)
        ? Optional.empty()
        : all.stream().filter(processor -> processor.accepts().contains(type)).findFirst();
  }

  /**
   * Starts the programs on a layer.
   *
   * @param chain at least one
   * @param blob read by another thread until the result is closed
   * @param payloads by id of the program that gets them
   * @param mostBytes that the last program may write
   */
  public ProcessedLayer open(
      Descriptor layer,
      List<StreamProcessor> chain,
      ContentReader blob,
      Map<String, TypedValue> payloads,
      long mostBytes) {
    List<Processes.Filter> filters = new ArrayList<>();
    String type = layer.mediaType();
    for (StreamProcessor processor : chain) {
      filters.add(filter(processor, type, payloads));
      type = processor.returns();
    }
    try {
      return new ProcessedLayer(
          "layer " + layer.digest(),
          chain.stream().map(StreamProcessor::id).toList(),
          type,
          processes.pipe(filters, MAX_ERROR),
          blob,
          mostBytes,
          patience);
    } catch (IOException e) {
      throw new UnavailableException(
          "layer %s, of media type %s: stream processor cannot be started: %s"
              .formatted(layer.digest(), layer.mediaType(), e.getMessage()),
          e);
    }
  }

  private Processes.Filter filter(
      StreamProcessor processor, String type, Map<String, TypedValue> payloads) {
    List<String> command = new ArrayList<>(List.of(processor.path()));
    command.addAll(processor.arguments());
    Map<String, String> all = new HashMap<>(environment);
    all.putAll(processor.environment());
    all.put(MEDIA_TYPE, type);
    var spawn = new Processes.Spawn(command, all, Path.of("/"), new byte[0], false, true);
    return new Processes.Filter(
        spawn, Optional.ofNullable(payloads.get(processor.id())).map(AnyBytes::of));
  }
}
