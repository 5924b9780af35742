package io.jcontainerd.bench.layers;

import io.jcontainerd.oci.tar.TarEntry;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Which entries of a tree's archive go into which of several layers, the way builders write them:
 * runs of the archive of about equal size, each file once and a hard link beside its file, and with
 * every layer the folders above what it brings. The root is in the first one only.
 */
public final class LayerPlan {
  /** What an entry takes besides its bytes. */
  private static final int HEADER = 512;

  private LayerPlan() {}

  /** The positions of the entries of each layer; in each, the archive's order is kept. */
  public static List<BitSet> split(List<Member> members, int layers) {
    long total = 0;
    for (Member member : members) {
      total += HEADER + member.size();
    }
    var plan = new ArrayList<BitSet>();
    for (int i = 0; i < layers; i++) {
      plan.add(new BitSet(members.size()));
    }
    Map<String, Integer> folders = new HashMap<>();
    Map<String, Integer> files = new HashMap<>();
    long done = 0;
    for (int i = 0; i < members.size(); i++) {
      Member member = members.get(i);
      int layer = (int) Math.min(layers - 1, done * layers / total);
      done += HEADER + member.size();
      if (member.isFolder()) {
        folders.put(member.path(), i);
      } else if (member.type() == TarEntry.Type.HARD_LINK) {
        layer = files.getOrDefault(member.link(), layer);
      }
      files.put(member.path(), layer);
      if (member.path().isEmpty()) {
        plan.getFirst().set(i);
        continue;
      }
      plan.get(layer).set(i);
      above(member.path(), folders, plan.get(layer));
    }
    return plan;
  }

  private static void above(String path, Map<String, Integer> folders, BitSet layer) {
    for (int end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      Integer folder = folders.get(path.substring(0, end));
      if (folder != null) {
        layer.set(folder);
      }
    }
  }
}
