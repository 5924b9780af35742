package io.jcontainerd.registry.hosts;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.words.Durations;
import io.jcontainerd.core.words.Nearest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.tomlj.Toml;
import org.tomlj.TomlParseResult;

/**
 * Reads a {@code hosts.toml}.
 *
 * <p>A key that nobody knows is a warning that names the nearest known one. Anything else that is
 * wrong refuses the whole file: half a file could send an image's name, or a password, to the wrong
 * host.
 */
final class HostsToml {
  private static final List<String> OF_A_HOST =
      List.of(
          "capabilities", "ca", "client", "skip_verify", "header", "override_path", "dial_timeout");

  private static final List<String> OF_THE_FILE =
      Stream.concat(Stream.of("server", "host"), OF_A_HOST.stream()).toList();

  /**
   * What came of reading.
   *
   * @param config absent if the file is refused
   * @param errors why it is refused; each names file, line and key
   * @param warnings what was passed over
   */
  record Read(Optional<HostsConfig> config, List<String> errors, List<String> warnings) {
    Read {
      errors = List.copyOf(errors);
      warnings = List.copyOf(warnings);
    }
  }

  private final Path base;
  private final List<String> errors = new ArrayList<>();
  private final List<String> warnings = new ArrayList<>();

  private HostsToml(Path base) {
    this.base = base;
  }

  /**
   * Reads the text of a file.
   *
   * @param source how messages name the file
   * @param base where paths in it begin
   */
  static Read read(String source, Path base, String text) {
    HostsToml reader = new HostsToml(base);
    Optional<HostsConfig> config = reader.file(source, text);
    return new Read(
        reader.errors.isEmpty() ? config : Optional.empty(), reader.errors, reader.warnings);
  }

  private Optional<HostsConfig> file(String source, String text) {
    TomlParseResult result;
    try {
      result = Toml.parse(text);
    } catch (StackOverflowError _) {
      errors.add(source + ": nested too deeply");
      return Optional.empty();
    } catch (RuntimeException | AssertionError e) {
      // the parser throws some errors of escapes instead of collecting them
      errors.add(source + ": not readable as TOML: " + e.getMessage());
      return Optional.empty();
    }
    result
        .errors()
        .forEach(e -> errors.add(source + " line " + e.position().line() + ": " + e.getMessage()));
    if (!errors.isEmpty()) {
      return Optional.empty();
    }
    TomlSection root = new TomlSection(source, List.of(), result, errors);
    warnings.addAll(root.unknown(OF_THE_FILE));
    List<HostsConfig.Mirror> mirrors = new ArrayList<>();
    root.section("host").ifPresent(hosts -> mirrors.addAll(mirrors(hosts)));
    return Optional.of(
        new HostsConfig(
            source, mirrors, root.parsed("server", HostAddress::parse), settings(root)));
  }

  private List<HostsConfig.Mirror> mirrors(TomlSection hosts) {
    List<HostsConfig.Mirror> mirrors = new ArrayList<>();
    for (String name : hosts.keys()) {
      Optional<TomlSection> section = hosts.section(name);
      if (section.isEmpty()) {
        continue;
      }
      try {
        HostAddress address = HostAddress.parse(name);
        warnings.addAll(section.get().unknown(OF_A_HOST));
        mirrors.add(new HostsConfig.Mirror(address, settings(section.get())));
      } catch (InvalidArgumentException e) {
        errors.add(hosts.place(name) + ": " + e.getMessage());
      }
    }
    return mirrors;
  }

  private HostSettings settings(TomlSection section) {
    List<Capability> capabilities = section.parsedList("capabilities", HostsToml::capability);
    return new HostSettings(
        capabilities.isEmpty() ? Capability.all() : EnumSet.copyOf(capabilities),
        section.flag("override_path").orElse(false),
        new TlsSettings(
            section.strings("ca", true).stream().map(file -> path(section, "ca", file)).toList(),
            section.stringsOrPairs("client").stream().map(one -> client(section, one)).toList(),
            section.flag("skip_verify")),
        headers(section),
        section.parsed("dial_timeout", HostsToml::duration));
  }

  private Map<String, List<String>> headers(TomlSection section) {
    Map<String, List<String>> headers = section.stringLists("header");
    headers.forEach(
        (name, values) -> {
          if (!HeaderFields.isName(name) || !values.stream().allMatch(HeaderFields::isValue)) {
            errors.add(section.place("header") + ": \"" + name + "\" cannot be sent as a header");
          }
        });
    return headers;
  }

  private ClientCertificate client(TomlSection section, List<String> files) {
    Path certificate = path(section, "client", files.getFirst());
    return new ClientCertificate(
        certificate,
        files.size() > 1
            ? Optional.of(path(section, "client", files.getLast()))
            : Optional.empty());
  }

  /** A file that cannot be read fails when it is needed; that it will is worth a word now. */
  private Path path(TomlSection section, String key, String file) {
    Path path = base.resolve(file);
    if (!Files.isReadable(path)) {
      warnings.add(section.place(key) + ": " + path + " cannot be read");
    }
    return path;
  }

  private static Capability capability(String word) {
    return Capability.of(word)
        .orElseThrow(
            () ->
                new InvalidArgumentException(
                    "unknown capability \""
                        + word
                        + "\""
                        + Nearest.to(word, Capability.words())
                            .map(near -> ", did you mean " + near + "?")
                            .orElse("; known are " + String.join(", ", Capability.words()))));
  }

  private static Duration duration(String text) {
    return Durations.parse(text)
        .filter(duration -> !duration.isNegative() && !duration.isZero())
        .orElseThrow(
            () -> new InvalidArgumentException("\"" + text + "\" is no duration, such as 30s"));
  }
}
