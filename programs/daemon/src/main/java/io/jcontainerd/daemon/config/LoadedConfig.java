package io.jcontainerd.daemon.config;

import io.jcontainerd.daemon.settings.DaemonSettings;
import io.jcontainerd.daemon.settings.PluginTables;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A whole configuration, checked and complete.
 *
 * @param plugins the known plug-ins' settings by URI, defaults included
 * @param unknownPlugins tables of plug-ins that this daemon does not have, as they were written
 * @param warnings what was ignored, one sentence each
 */
public record LoadedConfig(
    DaemonSettings daemon,
    Map<String, Record> plugins,
    Map<String, Object> unknownPlugins,
    List<String> warnings) {

  public LoadedConfig {
    plugins = Collections.unmodifiableMap(new LinkedHashMap<>(plugins));
    unknownPlugins = Collections.unmodifiableMap(new LinkedHashMap<>(unknownPlugins));
    warnings = List.copyOf(warnings);
  }

  /** The settings of the plug-in {@code uri}, which must be one of {@link PluginTables}. */
  public <R extends Record> R settings(String uri, Class<R> type) {
    Record settings = plugins.get(uri);
    if (settings == null) {
      throw new IllegalArgumentException("no such plug-in table: " + uri);
    }
    return type.cast(settings);
  }

  /** The same with the settings of one plug-in replaced. */
  public LoadedConfig with(String uri, Record settings) {
    var changed = new LinkedHashMap<>(plugins);
    changed.put(uri, settings);
    return new LoadedConfig(daemon, changed, unknownPlugins, warnings);
  }

  /** The same with other settings at the top level. */
  public LoadedConfig with(DaemonSettings changed) {
    return new LoadedConfig(changed, plugins, unknownPlugins, warnings);
  }

  /** The same with one warning more. */
  public LoadedConfig warning(String text) {
    var more = new ArrayList<>(warnings);
    more.add(text);
    return new LoadedConfig(daemon, plugins, unknownPlugins, more);
  }

  /** TOML of the current version; reading it gives a configuration equal to this one. */
  public String toToml() {
    Map<String, Object> tree = RecordBinder.unbind(daemon);
    var tables = new LinkedHashMap<String, Object>();
    plugins.forEach((uri, settings) -> tables.put(uri, RecordBinder.unbind(settings)));
    tables.putAll(unknownPlugins);
    tree.put("plugins", tables);
    return TomlWriter.write(tree);
  }
}
