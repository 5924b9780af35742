package io.jcontainerd.oci.runtime;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.UnavailableException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * Looks a path up through folders that lie over each other, one component at a time, so that no
 * symbolic link of the image leads outside. The caller must not let others change the folders
 * meanwhile: between the look and the open lies a moment.
 */
final class LayeredRootFiles implements RootFiles {
  private static final int MOST_LINKS = 40;

  private final List<Path> layers;

  LayeredRootFiles(List<Path> layers) {
    this.layers = List.copyOf(layers);
  }

  @Override
  public Optional<byte[]> read(String path) {
    try {
      Optional<Path> file = find(path);
      return file.isEmpty() ? Optional.empty() : Optional.of(content(path, file.get()));
    } catch (IOException e) {
      throw new UnavailableException("file " + path + " of the image cannot be read", e);
    }
  }

  private Optional<Path> find(String path) throws IOException {
    Deque<String> ahead = new ArrayDeque<>(components(path));
    Deque<String> behind = new ArrayDeque<>();
    int links = 0;
    Optional<Path> found = Optional.empty();
    while (!ahead.isEmpty()) {
      String name = ahead.pop();
      if (name.equals("..")) {
        behind.pollLast();
        continue;
      }
      behind.addLast(name);
      found = topmost(String.join("/", behind));
      if (found.isEmpty()) {
        return Optional.empty();
      }
      if (Files.isSymbolicLink(found.get())) {
        if (++links > MOST_LINKS) {
          throw new InvalidArgumentException("file " + path + " of the image: too many links");
        }
        String target = Files.readSymbolicLink(found.get()).toString();
        behind.removeLast();
        if (target.startsWith("/")) {
          behind.clear();
        }
        List<String> components = components(target);
        components.reversed().forEach(ahead::push);
      }
    }
    return found.filter(f -> Files.isRegularFile(f, LinkOption.NOFOLLOW_LINKS));
  }

  private Optional<Path> topmost(String relative) throws IOException {
    for (Path layer : layers) {
      Path file = layer.resolve(relative);
      if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
        BasicFileAttributes attributes =
            Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        return attributes.isOther() ? Optional.empty() : Optional.of(file);
      }
    }
    return Optional.empty();
  }

  private static List<String> components(String path) {
    return Arrays.stream(path.split("/", -1)).filter(c -> !c.isEmpty() && !c.equals(".")).toList();
  }

  private static byte[] content(String path, Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
      byte[] bytes = in.readNBytes(LONGEST + 1);
      if (bytes.length > LONGEST) {
        throw new InvalidArgumentException("file " + path + " of the image is too long");
      }
      return bytes;
    }
  }
}
