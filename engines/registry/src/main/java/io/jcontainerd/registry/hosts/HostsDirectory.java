package io.jcontainerd.registry.hosts;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Folders with one folder a registry, in which {@code hosts.toml} or certificates are; see the
 * package. What is read is read anew each time, so that a change needs no restart.
 *
 * @param roots searched in this order; the first that knows the registry is used
 */
public record HostsDirectory(List<Path> roots) {
  /** Nothing is configured. */
  public static final HostsDirectory NONE = new HostsDirectory(List.of());

  /** Where the configuration of registries usually is. */
  public static final String USUAL_ROOTS = "/etc/containerd/certs.d:/etc/docker/certs.d";

  private static final String FILE = "hosts.toml";
  private static final int LONGEST = 1 << 20;

  /** Copies the list. */
  public HostsDirectory {
    roots = List.copyOf(roots);
  }

  /**
   * Reads a list of folders as paths are listed, with {@code :} between them.
   *
   * @throws InvalidArgumentException if one of them is no path
   */
  public static HostsDirectory parse(String list) {
    try {
      return new HostsDirectory(
          Pattern.compile(File.pathSeparator, Pattern.LITERAL)
              .splitAsStream(list)
              .filter(root -> !root.isEmpty())
              .map(Path::of)
              .toList());
    } catch (InvalidPathException e) {
      throw new InvalidArgumentException("folders of registries: " + e.getMessage(), e);
    }
  }

  /**
   * What is configured for a registry.
   *
   * @param config what holds
   * @param errors why a {@code hosts.toml} does not hold
   * @param warnings what was passed over in what holds
   */
  public record Loaded(HostsConfig config, List<String> errors, List<String> warnings) {
    /** Copies the lists. */
    public Loaded {
      errors = List.copyOf(errors);
      warnings = List.copyOf(warnings);
    }
  }

  /** The folder of a registry, named as in references, with its port if it has one. */
  public Optional<Path> find(String registry) {
    return roots.stream()
        .flatMap(root -> names(registry).stream().map(root::resolve))
        .filter(Files::isDirectory)
        .findFirst();
  }

  private static List<String> names(String registry) {
    int colon = Attempt.portColon(registry);
    List<String> names = new ArrayList<>();
    if (colon >= 0) {
      names.add(registry.substring(0, colon) + "_" + registry.substring(colon + 1) + "_");
    }
    names.add(registry);
    names.add("_default");
    return names;
  }

  /**
   * Reads what is configured for a registry. A {@code hosts.toml} that does not hold is as if it
   * were absent: then the folder's certificates are used.
   */
  public Loaded load(String registry) {
    Optional<Path> folder = find(registry);
    if (folder.isEmpty()) {
      return new Loaded(HostsConfig.NONE, List.of(), List.of());
    }
    Path file = folder.get().resolve(FILE);
    List<String> errors = new ArrayList<>();
    if (Files.exists(file)) {
      HostsToml.Read read = read(file, folder.get());
      if (read.config().isPresent()) {
        return new Loaded(read.config().get(), List.of(), read.warnings());
      }
      errors.addAll(read.errors());
    }
    return certificates(folder.get(), errors);
  }

  private static HostsToml.Read read(Path file, Path base) {
    try {
      if (Files.size(file) > LONGEST) {
        throw new IOException("is longer than " + LONGEST + " bytes");
      }
      return HostsToml.read(
          file.toString(), base, new String(Files.readAllBytes(file), StandardCharsets.UTF_8));
    } catch (IOException e) {
      return new HostsToml.Read(
          Optional.empty(), List.of(file + " cannot be read: " + e), List.of());
    }
  }

  private static Loaded certificates(Path folder, List<String> errors) {
    List<Path> authorities = new ArrayList<>();
    List<ClientCertificate> clients = new ArrayList<>();
    List<String> warnings = new ArrayList<>();
    List<String> all = new ArrayList<>(errors);
    try (Stream<Path> entries = Files.list(folder)) {
      for (Path file : entries.filter(Files::isRegularFile).sorted().toList()) {
        String name = file.getFileName().toString();
        if (name.endsWith(".crt")) {
          authorities.add(file);
        } else if (name.endsWith(".cert")) {
          Path key = folder.resolve(name.substring(0, name.length() - ".cert".length()) + ".key");
          if (!Files.isReadable(key)) {
            warnings.add(file + ": its key " + key + " cannot be read");
          }
          clients.add(new ClientCertificate(file, Optional.of(key)));
        }
      }
    } catch (IOException e) {
      all.add(folder + " cannot be read: " + e);
    }
    TlsSettings tls = new TlsSettings(authorities, clients, Optional.empty());
    return new Loaded(
        new HostsConfig(
            tls.isConfigured() ? folder.toString() : "",
            List.of(),
            Optional.empty(),
            HostSettings.of(tls)),
        all,
        warnings);
  }
}
