package io.jcontainerd.ttrpc;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Headers of a request: keys in lower case, in order, a key may occur more than once. */
public record Metadata(List<Entry> entries) {
  /** The key under which containerd's namespace travels. */
  public static final String NAMESPACE = "containerd-namespace-ttrpc";

  public static final Metadata EMPTY = new Metadata(List.of());

  /** One key with one value. */
  public record Entry(String key, String value) {
    public Entry {
      key = key.toLowerCase(Locale.ROOT);
    }
  }

  public Metadata {
    entries = List.copyOf(entries);
  }

  public static Metadata namespace(String namespace) {
    return EMPTY.with(NAMESPACE, namespace);
  }

  public Metadata with(String key, String value) {
    var more = new ArrayList<>(entries);
    more.add(new Entry(key, value));
    return new Metadata(more);
  }

  /** These, and then the others. */
  public Metadata and(Metadata others) {
    var more = new ArrayList<>(entries);
    more.addAll(others.entries);
    return new Metadata(more);
  }

  /** The first value of a key. */
  public Optional<String> first(String key) {
    String wanted = key.toLowerCase(Locale.ROOT);
    return entries.stream().filter(e -> e.key().equals(wanted)).map(Entry::value).findFirst();
  }
}
