package io.jcontainerd.bench.layers;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.oci.tar.TarEntry;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;

class LayerPlanTest {
  private static final long SIZE = 9_488; // with its header 10,000

  private static Member folder(String path) {
    return new Member(path, TarEntry.Type.DIRECTORY, "", 0);
  }

  private static Member file(String path) {
    return new Member(path, TarEntry.Type.REGULAR, "", SIZE);
  }

  private static List<List<String>> split(List<Member> members, int layers) {
    var names = new ArrayList<List<String>>();
    for (BitSet layer : LayerPlan.split(members, layers)) {
      names.add(layer.stream().mapToObj(i -> members.get(i).path()).toList());
    }
    return names;
  }

  @Test
  void oneLayerHasEverythingInOrder() {
    var members = List.of(folder(""), folder("a"), file("a/1"), folder("b"), file("2"));
    assertThat(split(members, 1)).containsExactly(List.of("", "a", "a/1", "b", "2"));
  }

  @Test
  void layersAreRunsOfEqualSize() {
    var members = new ArrayList<Member>();
    for (int i = 0; i < 100; i++) {
      members.add(file("f" + i));
    }
    assertThat(split(members, 4)).extracting(List::size).containsExactly(25, 25, 25, 25);
    assertThat(split(members, 3).stream().flatMap(List::stream))
        .containsExactlyElementsOf(members.stream().map(Member::path).toList());
  }

  @Test
  void eachLayerBringsTheFoldersAboveWhatItHas() {
    var members =
        List.of(folder(""), folder("a"), folder("a/b"), file("a/b/1"), file("a/b/2"), file("a/3"));
    assertThat(split(members, 3))
        .containsExactly(
            List.of("", "a", "a/b", "a/b/1"), List.of("a", "a/b", "a/b/2"), List.of("a", "a/3"));
  }

  @Test
  void aFolderWithNothingInItIsInOneLayer() {
    var members = List.of(file("1"), folder("empty"), file("2"));
    assertThat(split(members, 2)).containsExactly(List.of("1", "empty"), List.of("2"));
  }

  @Test
  void aHardLinkIsBesideItsFile() {
    var link = new Member("a/link", TarEntry.Type.HARD_LINK, "a/1", 0);
    var members = List.of(folder("a"), file("a/1"), file("a/2"), link);
    assertThat(split(members, 2))
        .containsExactly(List.of("a", "a/1", "a/link"), List.of("a", "a/2"));
  }

  @Test
  void aLinkToALinkGoesWhereThatWent() {
    var first = new Member("b", TarEntry.Type.HARD_LINK, "a", 0);
    var second = new Member("c", TarEntry.Type.HARD_LINK, "b", 0);
    var members = List.of(file("a"), file("w"), file("x"), first, second);
    assertThat(split(members, 2)).containsExactly(List.of("a", "w", "b", "c"), List.of("x"));
  }
}
