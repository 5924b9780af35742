package io.jcontainerd.daemon.config;

import io.jcontainerd.daemon.settings.DaemonSettings;
import io.jcontainerd.daemon.settings.PluginTables;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * Reads a configuration file, all that it imports, and checks the whole.
 *
 * <p>Imports are paths or globs, relative to the folder of the file that names them. Each imported
 * file is migrated by itself and laid over what was read before it, the main file first. A file
 * that has been read is not read again, so loops end.
 */
public final class ConfigLoader {
  private static final String TIMEOUTS = "timeouts";

  private final Findings findings = new Findings();
  private final List<TomlDocument> documents = new ArrayList<>();
  private final Set<Path> seen = new HashSet<>();

  private ConfigLoader() {}

  /** The defaults, without any file. */
  public static LoadedConfig defaults() {
    return new LoadedConfig(
        DaemonSettings.defaults(), PluginTables.defaults(), Map.of(), List.of());
  }

  /**
   * Reads {@code file} and what it imports.
   *
   * @param mustExist whether a missing file is an error; otherwise the defaults apply
   * @throws ConfigException telling everything that is wrong
   */
  public static LoadedConfig load(Path file, boolean mustExist) {
    var loader = new ConfigLoader();
    Optional<String> text = loader.read(file, mustExist);
    loader.findings.throwIfAny();
    return loader.load(file, text.orElse("version = " + DaemonSettings.VERSION + "\n"));
  }

  /**
   * Reads a configuration from {@code text}; relative imports start at the folder of {@code name}.
   */
  public static LoadedConfig parse(Path name, String text) {
    return new ConfigLoader().load(name, text);
  }

  private LoadedConfig load(Path file, String text) {
    seen.add(identity(file));
    TomlDocument main = TomlDocument.parse(file.toString(), text, findings);
    int version = Migration.version(main, findings);
    findings.throwIfAny();
    documents.add(main);
    Migration.migrate(main.tree(), version);
    Map<String, Object> tree = main.tree();
    List<String> imports = strings(tree.get("imports")).orElse(DaemonSettings.defaults().imports());
    imports(file, imports, version, tree);
    findings.throwIfAny();
    if (version < DaemonSettings.VERSION && imports.isEmpty()) {
      // it was the default then; written as a file of today, it becomes the default of today
      tree.remove("imports");
    }
    return bind(tree);
  }

  private Optional<String> read(Path file, boolean mustExist) {
    try {
      return Optional.of(Files.readString(file));
    } catch (NoSuchFileException e) {
      if (mustExist) {
        findings.error("configuration file " + file + " does not exist");
      }
    } catch (MalformedInputException e) {
      findings.error("configuration file " + file + " is not UTF-8 text");
    } catch (IOException e) {
      findings.error("configuration file " + file + " cannot be read: " + e);
    }
    return Optional.empty();
  }

  private static Path identity(Path file) {
    try {
      return file.toRealPath();
    } catch (IOException e) {
      return file.toAbsolutePath().normalize();
    }
  }

  private void imports(
      Path importer, List<String> patterns, int version, Map<String, Object> into) {
    for (String pattern : patterns) {
      for (Path file : resolve(importer, pattern)) {
        if (seen.add(identity(file))) {
          importOne(file, version, into);
        }
      }
    }
  }

  private void importOne(Path file, int version, Map<String, Object> into) {
    Optional<String> text = read(file, true);
    if (text.isEmpty()) {
      return;
    }
    TomlDocument document = TomlDocument.parse(file.toString(), text.get(), findings);
    int own = Migration.version(document, findings);
    if (own == 0) {
      return;
    }
    if (own > version) {
      findings.error(
          file + ": imported file has version " + own + ", above the importing file's " + version);
      return;
    }
    documents.add(document);
    Migration.migrate(document.tree(), own);
    List<String> inner = strings(document.tree().get("imports")).orElse(List.of());
    merge(into, document.tree());
    imports(file, inner, version, into);
  }

  private List<Path> resolve(Path importer, String pattern) {
    Path folder = importer.toAbsolutePath().getParent();
    Path path = folder == null ? Path.of(pattern) : folder.resolve(pattern);
    if (pattern.chars().noneMatch(c -> c == '*' || c == '?' || c == '[')) {
      return List.of(path.normalize());
    }
    List<Path> found = List.of(path.getRoot());
    for (Path part : path.normalize()) {
      found = expand(importer, found, part.toString());
    }
    return found.stream().filter(Files::isRegularFile).sorted().toList();
  }

  private List<Path> expand(Path importer, List<Path> folders, String part) {
    var found = new ArrayList<Path>();
    if (part.chars().noneMatch(c -> c == '*' || c == '?' || c == '[')) {
      folders.stream()
          .map(folder -> folder.resolve(part))
          .filter(Files::exists)
          .forEach(found::add);
      return found;
    }
    PathMatcher matcher;
    try {
      matcher =
          FileSystems.getDefault()
              .getPathMatcher("glob:" + part.replace("{", "\\{").replace("}", "\\}"));
    } catch (PatternSyntaxException e) {
      findings.error(
          importer + ": imports: " + part + " is no pattern of files: " + e.getDescription());
      return found;
    }
    for (Path folder : folders) {
      if (!Files.isDirectory(folder)) {
        continue;
      }
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
        for (Path entry : entries) {
          Path name = entry.getFileName();
          boolean hidden = name.toString().startsWith(".") && !part.startsWith(".");
          if (!hidden && matcher.matches(name)) {
            found.add(entry);
          }
        }
      } catch (IOException e) {
        findings.error("folder " + folder + " of imports cannot be read: " + e);
      }
    }
    return found;
  }

  /** Lays {@code from} over {@code into}, by containerd's rules for imports. */
  private static void merge(Map<String, Object> into, Map<String, Object> from) {
    from.forEach(
        (key, value) -> {
          switch (key) {
            case "version" -> {}
            case "plugins" -> mergeTables(into, key, value);
            case "proxy_plugins", "stream_processors", TIMEOUTS -> mergeEntries(into, key, value);
            default -> mergeValue(into, key, value);
          }
        });
  }

  private static void mergeTables(Map<String, Object> into, String key, Object value) {
    if (!(into.get(key) instanceof Map<?, ?>) || !(value instanceof Map<?, ?>)) {
      mergeEntries(into, key, value);
      return;
    }
    Map<String, Object> tables = table(into.get(key));
    table(value)
        .forEach(
            (uri, inner) -> {
              if (inner instanceof Map<?, ?> && tables.get(uri) instanceof Map<?, ?>) {
                mergeEntries(tables, uri, inner);
              } else {
                tables.put(uri, inner);
              }
            });
    into.put(key, tables);
  }

  /** Replaces entry by entry. */
  private static void mergeEntries(Map<String, Object> into, String key, Object value) {
    if (into.get(key) instanceof Map<?, ?> && value instanceof Map<?, ?>) {
      Map<String, Object> merged = table(into.get(key));
      merged.putAll(table(value));
      into.put(key, merged);
    } else {
      into.put(key, value);
    }
  }

  private static void mergeValue(Map<String, Object> into, String key, Object value) {
    Object present = into.get(key);
    if (value instanceof List<?> added && present instanceof List<?> list) {
      var union = new LinkedHashSet<Object>(list);
      union.addAll(added);
      into.put(key, List.copyOf(union));
    } else if (value instanceof Map<?, ?> && present instanceof Map<?, ?>) {
      Map<String, Object> inner = table(present);
      table(value).forEach((name, entry) -> mergeValue(inner, name, entry));
      into.put(key, inner);
    } else if (present == null || !isEmpty(value)) {
      into.put(key, value);
    }
  }

  private static boolean isEmpty(Object value) {
    return value.equals("") || value.equals(0L) || value.equals(false) || value.equals(List.of());
  }

  private static Map<String, Object> table(Object value) {
    return new LinkedHashMap<>(RecordBinder.table(value).orElse(Map.of()));
  }

  private static Optional<List<String>> strings(@Nullable Object value) {
    return value instanceof List<?> list && list.stream().allMatch(String.class::isInstance)
        ? Optional.of(list.stream().map(String.class::cast).toList())
        : Optional.empty();
  }

  private LoadedConfig bind(Map<String, Object> tree) {
    var binder = new RecordBinder(findings, this::place);
    Map<String, Object> top = new LinkedHashMap<>(tree);
    for (String key : List.copyOf(top.keySet())) {
      List<String> homes = Migration.movedTo(key);
      if (!homes.isEmpty()) {
        top.remove(key);
        findings.warn(
            place(List.of(key))
                + ": table "
                + key
                + " ignored, since version 4 it is plugins.'"
                + String.join("' and '", homes)
                + "'");
      }
    }
    DaemonSettings defaults = DaemonSettings.defaults();
    DaemonSettings daemon = binder.bind(defaults, top, List.of());
    for (String name : daemon.timeouts().keySet()) {
      if (!defaults.timeouts().containsKey(name)) {
        binder.unknown(name, List.copyOf(defaults.timeouts().keySet()), List.of(TIMEOUTS));
      }
    }
    var plugins = new LinkedHashMap<>(PluginTables.defaults());
    var unknown = new LinkedHashMap<String, Object>();
    daemon
        .plugins()
        .forEach(
            (uri, given) -> {
              List<String> path = List.of("plugins", uri);
              Record known = plugins.get(uri);
              Optional<Map<String, Object>> inner = RecordBinder.table(given);
              if (inner.isEmpty()) {
                findings.error(place(path) + ": " + RecordBinder.name(path) + " must be a table");
              } else if (known != null) {
                plugins.put(uri, binder.bind(known, inner.get(), path));
              } else {
                if (!inner.get().isEmpty()) {
                  binder.unknown(uri, List.copyOf(plugins.keySet()), List.of("plugins"));
                }
                unknown.put(uri, given);
              }
            });
    Effects.check(daemon, plugins, this::place, findings);
    findings.throwIfAny();
    return new LoadedConfig(withoutPlugins(daemon), plugins, unknown, findings.warnings());
  }

  private static DaemonSettings withoutPlugins(DaemonSettings daemon) {
    return new DaemonSettings(
        daemon.version(),
        daemon.root(),
        daemon.state(),
        daemon.temp(),
        daemon.disabledPlugins(),
        daemon.requiredPlugins(),
        daemon.oomScore(),
        daemon.imports(),
        daemon.debug(),
        daemon.cgroup(),
        daemon.timeouts(),
        Map.of(),
        daemon.proxyPlugins(),
        daemon.streamProcessors());
  }

  /** The newest document that has the key wins, as its value does. */
  private String place(List<String> path) {
    for (TomlDocument document : documents.reversed()) {
      if (document.line(path).isPresent()) {
        return document.place(path);
      }
    }
    return documents.getFirst().source();
  }
}
