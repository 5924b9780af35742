package io.jcontainerd.transfer.verify;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.images.ImageVerifier;
import io.jcontainerd.core.ports.Processes;
import io.jcontainerd.oci.image.Descriptors;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Asks the programs of a folder, as containerd's {@code bindir} verifier does.
 *
 * <p>All have to allow an image. They are asked one after the other, in the order of their names,
 * until one refuses. A program that cannot be started, or takes longer than it may, means that
 * there is no judgement; it and what it has started are killed. Where there is no folder, or an
 * empty one, everything is allowed. Safe for many threads.
 */
public final class BindirVerifier implements ImageVerifier {
  private static final Logger LOG = System.getLogger(BindirVerifier.class.getName());
  private static final String INPUT_TYPE = "application/vnd.oci.descriptor.v1+json";

  /** Of each stream. */
  private static final int MAX_OUTPUT = 32 << 10;

  /** Of a reason that goes to a client: what does not fit into a header is lost as a whole. */
  private static final int MAX_REASON = 2048;

  private final Path folder;
  private final long most;
  private final Duration each;
  private final Processes processes;
  private final Map<String, String> environment;

  /**
   * @param folder everything in it is a verifier
   * @param most how many are asked; all if negative
   * @param each how long one of them may take
   * @param environment of the programs
   */
  public BindirVerifier(
      Path folder, long most, Duration each, Processes processes, Map<String, String> environment) {
    this.folder = folder;
    this.most = most;
    this.each = each;
    this.processes = processes;
    this.environment = Map.copyOf(environment);
  }

  @Override
  public Judgement verify(String name, Descriptor image) throws InterruptedException {
    List<Path> all = programs();
    List<Path> asked = most < 0 || most >= all.size() ? all : all.subList(0, Math.toIntExact(most));
    if (asked.size() < all.size()) {
      LOG.log(
          Level.WARNING,
          "of {0} image verifiers in {1} only {2} are asked: max_verifiers",
          all.size(),
          folder,
          asked.size());
    }
    List<String> reasons = new ArrayList<>();
    for (Path program : asked) {
      Judgement judgement = ask(program, name, image);
      if (!judgement.isAllowed()) {
        return judgement;
      }
      reasons.add(judgement.reason());
    }
    return new Judgement(true, String.join(", ", reasons));
  }

  private List<Path> programs() {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.sorted().toList();
    } catch (NoSuchFileException _) {
      return List.of();
    } catch (IOException e) {
      throw new UnavailableException("image verifiers in " + folder + ": " + e.getMessage(), e);
    }
  }

  private Judgement ask(Path program, String name, Descriptor image) throws InterruptedException {
    String verifier = "verifier " + program.getFileName();
    var spawn =
        new Processes.Spawn(
            List.of(
                program.toString(),
                "-name",
                name,
                "-digest",
                image.digest().toString(),
                "-stdin-media-type",
                INPUT_TYPE),
            environment,
            Path.of("/"),
            Descriptors.json(image).toBytes(),
            false,
            true);
    Processes.Finished finished;
    try {
      finished = processes.run(spawn, each, MAX_OUTPUT);
    } catch (DeadlineExceededException e) {
      throw new UnavailableException(
          "%s did not answer within %d ms and was killed".formatted(verifier, each.toMillis()), e);
    } catch (IOException e) {
      throw new UnavailableException(verifier + " cannot be asked: " + e.getMessage(), e);
    }
    if (finished.error().length > 0) {
      LOG.log(Level.DEBUG, "{0}, of image {1}: {2}", verifier, name, text(finished.error()));
    }
    String reason = text(finished.output());
    if (finished.status() == 0) {
      return new Judgement(true, program.getFileName() + (reason.isEmpty() ? "" : ": " + reason));
    }
    return new Judgement(
        false,
        "%s refused it (status %d)%s"
            .formatted(verifier, finished.status(), reason.isEmpty() ? "" : ": " + reason));
  }

  /** In one line, and not too long. */
  private static String text(byte[] bytes) {
    String text = new String(bytes, StandardCharsets.UTF_8).replaceAll("\\p{Cntrl}+", " ").strip();
    return text.length() > MAX_REASON ? text.substring(0, MAX_REASON) + "…" : text;
  }
}
