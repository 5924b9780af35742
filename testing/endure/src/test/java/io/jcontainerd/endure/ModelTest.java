package io.jcontainerd.endure;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.Digest;
import io.jcontainerd.endure.Node.Kind;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ModelTest {
  private static List<ModelImage> images(long seed) {
    Model model = new Model(seed);
    return IntStream.range(0, 24).mapToObj(model::image).toList();
  }

  @Test
  void a_seed_gives_the_same_images_each_time() {
    List<Digest> once = images(5).stream().map(i -> i.manifest().digest()).toList();
    assertThat(images(5).stream().map(i -> i.manifest().digest()).toList()).isEqualTo(once);
    assertThat(once).doesNotHaveDuplicates();
    assertThat(images(6).getFirst().manifest().digest()).isNotIn(once);
  }

  @Test
  void images_share_layers_and_are_packed_in_every_way() {
    List<ModelImage> images = images(5);
    List<Layer> all = images.stream().flatMap(i -> i.layers().stream()).toList();
    assertThat(all.stream().distinct().count()).isLessThan(all.size());
    assertThat(images.stream().map(i -> i.layers().size()).distinct()).contains(2, 3, 4);
    assertThat(all.stream().map(l -> l.blob().descriptor().mediaType()).distinct()).hasSize(3);
  }

  @Test
  void layers_take_away_what_lies_below() {
    SortedMap<String, Node> below = new TreeMap<>();
    for (String path : List.of("a", "a/x", "a/y", "b", "b/z", "c", "c/w")) {
      below.put(path, Node.folder(0755, 0, 0, 0));
    }
    Map<String, Node> layer = new LinkedHashMap<>();
    layer.put("a/x", Node.mark(Kind.WHITEOUT));
    layer.put("b", Node.mark(Kind.WHITEOUT));
    layer.put("c", Node.folder(0700, 0, 0, 0));
    layer.put("c/", Node.mark(Kind.OPAQUE));
    layer.put("c/n", Node.symlink(0, 0, 0, "w"));
    layer.put("c/h", Node.hardlink("c/n"));
    SortedMap<String, Node> tree = Trees.with(below, layer);
    assertThat(tree).containsOnlyKeys("a", "a/y", "c", "c/h", "c/n");
    assertThat(tree.get("c/h")).isEqualTo(layer.get("c/n"));
  }
}
