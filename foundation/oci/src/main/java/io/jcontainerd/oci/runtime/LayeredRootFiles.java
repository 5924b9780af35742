package io.jcontainerd.oci.runtime;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.UnavailableException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * Looks a path up through folders that lie over each other, one component at a time, so that no
 * symbolic link of any layer leads outside. The caller must not let others change the folders
 * meanwhile: between the look and the open lies a moment.
 */
final class LayeredRootFiles implements RootFiles {
  private static final int MOST_LINKS = 40;
  private static final String OPAQUE = "overlay.opaque";

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

  /**
   * A folder of the root: where the layers keep it, topmost first. A layer is left out once
   * something above it hides what it has there, or once it has no folder there itself.
   */
  private record Folder(List<Path> inLayers) {}

  private Optional<Path> find(String path) throws IOException {
    Deque<String> ahead = new ArrayDeque<>(components(path));
    Deque<Folder> way = new ArrayDeque<>();
    way.push(new Folder(layers));
    int links = 0;
    while (!ahead.isEmpty()) {
      String name = ahead.pop();
      if (name.equals("..")) {
        if (way.size() > 1) {
          way.pop();
        }
        continue;
      }
      Optional<Path> found = topmost(way.element(), name);
      if (found.isEmpty()) {
        return Optional.empty();
      }
      if (Files.isSymbolicLink(found.get())) {
        if (++links > MOST_LINKS) {
          throw new InvalidArgumentException("file " + path + " of the image: too many links");
        }
        String target = Files.readSymbolicLink(found.get()).toString();
        if (target.startsWith("/")) {
          while (way.size() > 1) {
            way.pop();
          }
        }
        components(target).reversed().forEach(ahead::push);
      } else if (Files.isDirectory(found.get(), LinkOption.NOFOLLOW_LINKS)) {
        way.push(below(way.element(), name));
      } else {
        return ahead.isEmpty()
            ? found.filter(f -> Files.isRegularFile(f, LinkOption.NOFOLLOW_LINKS))
            : Optional.empty();
      }
    }
    return Optional.empty();
  }

  /** What the topmost layer that has the name shows there; nothing if that hides the name. */
  private static Optional<Path> topmost(Folder folder, String name) throws IOException {
    for (Path layer : folder.inLayers()) {
      Path file = layer.resolve(name);
      if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
        BasicFileAttributes attributes =
            Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        return attributes.isOther() ? Optional.empty() : Optional.of(file);
      }
    }
    return Optional.empty();
  }

  /** The folder of that name; it ends at the first layer that has something else there. */
  private static Folder below(Folder folder, String name) throws IOException {
    List<Path> inLayers = new ArrayList<>();
    for (Path layer : folder.inLayers()) {
      Path child = layer.resolve(name);
      if (Files.isDirectory(child, LinkOption.NOFOLLOW_LINKS)) {
        inLayers.add(child);
        if (isOpaque(child)) {
          break;
        }
      } else if (Files.exists(child, LinkOption.NOFOLLOW_LINKS)) {
        break;
      }
    }
    return new Folder(inLayers);
  }

  /** Whether the folder says that it hides all below; only the form for users can be read here. */
  private static boolean isOpaque(Path folder) throws IOException {
    var view =
        Files.getFileAttributeView(
            folder, UserDefinedFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
    if (view == null) {
      return false;
    }
    try {
      ByteBuffer value = ByteBuffer.allocate(2);
      return view.list().contains(OPAQUE)
          && view.size(OPAQUE) == 1
          && view.read(OPAQUE, value) == 1
          && value.get(0) == 'y';
    } catch (FileSystemException e) {
      return false; // a file system without attributes
    }
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
