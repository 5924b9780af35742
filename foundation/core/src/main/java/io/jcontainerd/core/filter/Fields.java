package io.jcontainerd.core.filter;

import java.util.List;
import java.util.Optional;

/** What a filter can ask of a thing: the text under a path of names, if it has any. */
@FunctionalInterface
public interface Fields {
  /**
   * The text under the path.
   *
   * @param path at least one name, such as {@code labels} and a label's key
   * @return empty if the thing has nothing there
   */
  Optional<String> field(List<String> path);
}
