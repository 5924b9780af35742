package io.jcontainerd.transfer.archive;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.failure.InvalidArgumentException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** Names of an archive's entries, which must stay inside it. */
final class EntryPath {
  private EntryPath() {}

  /**
   * The name without what changes nothing: {@code ./}, doubled slashes and one at the end.
   *
   * @throws InvalidArgumentException if it begins with a slash or leads upwards
   */
  static String of(RawPath name) {
    if (name.startsWith(RawPath.of("/"))) {
      throw leadsOut(name);
    }
    return resolve("", name);
  }

  /**
   * Where a symbolic link leads.
   *
   * @param link the name of the link
   * @param target what it holds
   * @throws InvalidArgumentException if that is outside
   */
  static String ofLink(String link, RawPath target) {
    if (target.startsWith(RawPath.of("/"))) {
      throw leadsOut(target);
    }
    int slash = link.lastIndexOf('/');
    return resolve(slash < 0 ? "" : link.substring(0, slash), target);
  }

  private static String resolve(String folder, RawPath name) {
    Deque<String> parts = new ArrayDeque<>();
    if (!folder.isEmpty()) {
      parts.addAll(List.of(folder.split("/", -1)));
    }
    for (String part : name.toString().split("/", -1)) {
      switch (part) {
        case "", "." -> {}
        case ".." -> {
          if (folder.isEmpty() || parts.isEmpty()) {
            throw leadsOut(name);
          }
          parts.removeLast();
        }
        default -> parts.add(part);
      }
    }
    return String.join("/", parts);
  }

  private static InvalidArgumentException leadsOut(RawPath name) {
    return new InvalidArgumentException(
        "image archive: entry \"" + name.shown() + "\" leads out of it");
  }
}
