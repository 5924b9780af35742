package io.jcontainerd.services;

import static io.jcontainerd.services.GrpcFailures.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.FieldMask;
import io.grpc.Status;
import io.jcontainerd.api.services.mounts.v1.ActivateRequest;
import io.jcontainerd.api.services.mounts.v1.DeactivateRequest;
import io.jcontainerd.api.services.mounts.v1.InfoRequest;
import io.jcontainerd.api.services.mounts.v1.ListRequest;
import io.jcontainerd.api.services.mounts.v1.MountsGrpc;
import io.jcontainerd.api.services.mounts.v1.UpdateRequest;
import io.jcontainerd.api.types.ActivationInfo;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.mount.Activation;
import io.jcontainerd.core.mount.ActivationOptions;
import io.jcontainerd.core.mount.ActiveMount;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.mount.MountManager;
import io.jcontainerd.core.ports.Time;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
@SuppressWarnings("NullAway.Init")
class MountsServiceTest {
  private static final io.jcontainerd.api.types.Mount EROFS =
      io.jcontainerd.api.types.Mount.newBuilder()
          .setType("erofs")
          .setSource("/layer")
          .addOptions("ro")
          .build();

  @TempDir Path folder;
  private SocketServer server;
  private final List<ActivationOptions> asked = new ArrayList<>();

  /** Keeps what is said to it. */
  private final class Manager implements MountManager {
    private final Map<String, Activation> all = new ConcurrentSkipListMap<>();

    private static String key(String name) {
      return Call.currentNamespace() + "/" + name;
    }

    @Override
    public Activation activate(String name, List<Mount> mounts, ActivationOptions options) {
      asked.add(options);
      if (mounts.isEmpty()) {
        throw new NotImplementedException("nothing to do");
      }
      var active =
          new ActiveMount(
              mounts.getFirst(), Instant.ofEpochSecond(7, 8), "/at", Map.of("key", "value"));
      var made =
          new Activation(
              name,
              List.of(active),
              List.of(new Mount("bind", "/at", "sub", List.of("rbind"))),
              options.labels());
      all.put(key(name), made);
      return made;
    }

    @Override
    public void deactivate(String name) {
      if (all.remove(key(name)) == null) {
        throw new NotFoundException("mount " + name);
      }
    }

    @Override
    public Activation info(String name) {
      Activation found = all.get(key(name));
      if (found == null) {
        throw new NotFoundException("mount " + name);
      }
      return found;
    }

    @Override
    public Activation update(Activation activation, io.jcontainerd.core.FieldMask mask) {
      assertThat(mask.paths()).containsExactly("labels.a");
      var old = info(activation.name());
      var changed = new Activation(old.name(), old.active(), old.system(), activation.labels());
      all.put(key(old.name()), changed);
      return changed;
    }

    @Override
    public List<Activation> list() {
      return all.entrySet().stream()
          .filter(entry -> entry.getKey().startsWith(key("")))
          .map(Map.Entry::getValue)
          .toList();
    }
  }

  @BeforeEach
  void serve() throws Exception {
    server = new SocketServer(folder, List.of(Services.mounts(new Manager(), Time.SYSTEM)));
  }

  @AfterEach
  void close() {
    server.close();
  }

  private MountsGrpc.MountsBlockingStub stub(String namespace) {
    return MountsGrpc.newBlockingStub(server.in(namespace));
  }

  @Test
  void an_activation_is_told_in_full() {
    ActivationInfo info =
        stub("ns")
            .activate(
                ActivateRequest.newBuilder()
                    .setName("one")
                    .addMounts(EROFS)
                    .putLabels("a", "b")
                    .setTemporary(true)
                    .build())
            .getInfo();
    assertThat(asked.getFirst().temporary()).isTrue();
    assertThat(asked.getFirst().labels()).containsExactly(Map.entry("a", "b"));
    assertThat(info.getName()).isEqualTo("one");
    assertThat(info.getActive(0).getMount()).isEqualTo(EROFS);
    assertThat(info.getActive(0).getMountedAt().getSeconds()).isEqualTo(7);
    assertThat(info.getActive(0).getMountedAt().getNanos()).isEqualTo(8);
    assertThat(info.getActive(0).getMountPoint()).isEqualTo("/at");
    assertThat(info.getActive(0).getDataMap()).containsExactly(Map.entry("key", "value"));
    assertThat(info.getSystem(0).getTarget()).isEqualTo("sub");
    assertThat(info.getLabelsMap()).containsExactly(Map.entry("a", "b"));
    assertThat(stub("ns").info(InfoRequest.newBuilder().setName("one").build()).getInfo())
        .isEqualTo(info);
    assertThat(stub("ns").list(ListRequest.newBuilder().addFilters("anything").build()))
        .toIterable()
        .extracting(message -> message.getInfo())
        .containsExactly(info);
    assertThat(stub("other").list(ListRequest.getDefaultInstance())).isExhausted();
    var changed =
        UpdateRequest.newBuilder()
            .setInfo(info.toBuilder().clearLabels().putLabels("a", "c"))
            .setUpdateMask(FieldMask.newBuilder().addPaths("labels.a"))
            .build();
    assertThat(stub("ns").update(changed).getInfo().getLabelsMap())
        .containsExactly(Map.entry("a", "c"));
    assertThat(stub("ns").deactivate(DeactivateRequest.newBuilder().setName("one").build()))
        .isNotNull();
    assertFails(
        () -> stub("ns").info(InfoRequest.newBuilder().setName("one").build()),
        Status.Code.NOT_FOUND,
        ": not found");
  }

  @Test
  void a_list_that_needs_nobody_is_answered_unimplemented() {
    assertFails(
        () -> stub("ns").activate(ActivateRequest.newBuilder().setName("none").build()),
        Status.Code.UNIMPLEMENTED,
        ": not implemented");
  }
}
