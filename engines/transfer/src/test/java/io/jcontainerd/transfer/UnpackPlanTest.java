package io.jcontainerd.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.leases.LeaseStore;
import io.jcontainerd.core.operation.OperationRegistry;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.registry.RegistryAccess;
import io.jcontainerd.oci.image.ImageConfig;
import io.jcontainerd.testkit.remote.FolderLayersSnapshotter;
import io.jcontainerd.transfer.flow.Slots;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Layers that come ahead. */
@Timeout(60)
class UnpackPlanTest {
  @TempDir private Path folder;
  private final Scene scene = new Scene();
  private final CountDownLatch arrived = new CountDownLatch(1);
  private final CountDownLatch gate = new CountDownLatch(1);

  /** Writes slowly. */
  private LeaseStore slowLeases() {
    return (LeaseStore)
        Proxy.newProxyInstance(
            LeaseStore.class.getClassLoader(),
            new Class<?>[] {LeaseStore.class},
            (_, method, args) -> {
              if (method.getName().equals("addResource")) {
                arrived.countDown();
                gate.await();
              }
              try {
                return method.invoke(scene.leases, args);
              } catch (InvocationTargetException e) {
                throw e.getCause() == null ? e : e.getCause();
              }
            });
  }

  private static Thread inBackground(Call call, Runnable work) {
    return Thread.ofVirtual().start(() -> call.run(work));
  }

  private enum Meanwhile {
    DROPS,
    CLOSES
  }

  @ParameterizedTest
  @EnumSource
  void whoever_needs_the_plan_does_not_wait_until_layers_are_asked_for(Meanwhile what)
      throws Exception {
    Call.in("test").run(() -> scene.leases.create("mine", Map.of()));
    Call call = Call.in("test").withLease("mine");
    ScriptedRegistry.Made image = scene.registry.image("linux", "amd64", 1000, 2000);
    TransferParts parts =
        new TransferParts(
            scene.content,
            scene.images,
            slowLeases(),
            _ -> Optional.empty(),
            _ -> Optional.empty(),
            scene.registry,
            Map.of(),
            Optional.empty(),
            _ -> Long.MAX_VALUE,
            DiskSpace.UNKNOWN,
            Time.SYSTEM);
    Blobs blobs =
        new Blobs(
            parts,
            new BlobFetch(scene.content, scene.limits, new Slots(3), Time.SYSTEM),
            new OperationRegistry());
    try (Session session =
            new Session(
                scene.registry.open(RegistryAccess.USUAL),
                Scene.NAME,
                scene.leases,
                new Remains(scene.leases, Time.SYSTEM),
                call,
                Optional.empty());
        UnpackPlan plan =
            new UnpackPlan(
                session,
                image.at(),
                image.manifest(),
                ImageConfig.parse(
                    Objects.requireNonNull(
                        scene.registry.blobs.get(image.manifest().config().digest()))),
                "folder",
                new FolderLayersSnapshotter(folder, Time.SYSTEM, false),
                scene.applier,
                blobs)) {
      Thread asking = inBackground(call, () -> plan.comeAhead(0));
      arrived.await();
      FutureTask<Boolean> meanwhile =
          new FutureTask<>(
              () -> {
                switch (what) {
                  case DROPS -> plan.drop(1);
                  case CLOSES -> plan.close();
                }
                return true;
              });
      Thread _ = inBackground(call, meanwhile);
      try {
        assertThat(meanwhile.get(50, TimeUnit.SECONDS)).isTrue();
      } finally {
        gate.countDown();
      }
      asking.join();
      assertThat(scene.registry.open).as("nobody wants the layer any more").hasValue(0);
    }
    assertThat(scene.registry.sessions).hasValue(0);
  }
}
