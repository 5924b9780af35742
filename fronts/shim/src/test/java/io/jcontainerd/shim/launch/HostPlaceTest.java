package io.jcontainerd.shim.launch;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.linux.process.ProcessIdentity;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which containers meet in which host, and how a host and those who come to it agree. */
class HostPlaceTest {
  private static final byte[] NOTHING = {};

  @TempDir Path folder;

  private HostPlace place(Settings.Group group, String namespace, String id) throws Exception {
    ShimArguments arguments =
        ShimArguments.parse(
            List.of("-namespace", namespace, "-id", id, "-address", "/run/x.sock", "start"));
    return HostPlace.of(StartRequest.of(arguments, Map.of(), NOTHING), group, "1.0", folder);
  }

  @Test
  void the_group_says_who_shares() throws Exception {
    assertThat(place(Settings.Group.NODE, "n1", "a"))
        .isEqualTo(place(Settings.Group.NODE, "n2", "b"));
    assertThat(place(Settings.Group.NAMESPACE, "n1", "a"))
        .isEqualTo(place(Settings.Group.NAMESPACE, "n1", "b"))
        .isNotEqualTo(place(Settings.Group.NAMESPACE, "n2", "a"));
    assertThat(place(Settings.Group.CONTAINER, "n1", "a"))
        .isNotEqualTo(place(Settings.Group.CONTAINER, "n1", "b"));
    Files.writeString(
        folder.resolve("config.json"),
        "{\"annotations\":{\"io.kubernetes.cri.sandbox-id\":\"pod\"}}");
    assertThat(place(Settings.Group.POD, "n1", "a"))
        .isEqualTo(place(Settings.Group.POD, "n1", "b"))
        .isEqualTo(place(Settings.Group.CONTAINER, "n1", "pod"));
  }

  @Test
  void names_are_those_of_the_launchers_script() throws Exception {
    HostPlace node = place(Settings.Group.NODE, "n1", "a");
    assertThat(node.state()).isEqualTo(Path.of("/run/jcontainerd/jrunc/1.0@%run%x.sock"));
    assertThat(place(Settings.Group.CONTAINER, "n1", "a").state())
        .isEqualTo(Path.of("/run/jcontainerd/jrunc/1.0@%run%x.sock@n1@a"));
    assertThat(node.socket().getParent()).isEqualTo(Path.of("/run/containerd/s"));
    assertThat(node.socket().getFileName().toString()).matches("[0-9a-f]{64}");
  }

  @Test
  void a_bundle_tells_the_place_by_its_namespaces_socket() throws Exception {
    HostPlace node = place(Settings.Group.NODE, "n1", "a");
    assertThat(node.socket("n1")).isNotEqualTo(node.socket("n2")).isNotEqualTo(node.socket());
    assertThat(HostPlace.of(node.state(), "unix://" + node.socket("n1"))).isEqualTo(node);
  }

  @Test
  void a_host_is_found_while_it_lives() throws Exception {
    var mark = new ServingMark(folder);
    assertThat(mark.find()).isEmpty();
    mark.set("unix:///s");
    ServingMark.Host host = mark.find().orElseThrow();
    assertThat(host.address()).isEqualTo("unix:///s");
    assertThat(host.process())
        .isEqualTo(ProcessIdentity.of((int) ProcessHandle.current().pid()).orElseThrow());
    Files.writeString(
        folder.resolve("serving"),
        "%d %d unix:///s\n".formatted(host.process().pid(), host.process().startTicks() + 1));
    assertThat(mark.find()).as("another process has its number").isEmpty();
    mark.clear();
    assertThat(mark.find()).isEmpty();
  }

  @Test
  void a_client_is_expected_for_some_seconds() throws Exception {
    var mark = new ServingMark(folder);
    assertThat(mark.isExpecting()).isFalse();
    mark.expect();
    assertThat(mark.isExpecting()).isTrue();
    Files.setLastModifiedTime(
        folder.resolve("expected"), FileTime.from(Instant.now().minusSeconds(60)));
    assertThat(mark.isExpecting()).isFalse();
  }
}
