package io.jcontainerd.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.transfer.ExportRequest;
import io.jcontainerd.core.transfer.ImageSelection;
import io.jcontainerd.core.transfer.ImageSelection.ExtraReference;
import io.jcontainerd.core.transfer.ImageSelection.UnpackTarget;
import io.jcontainerd.core.transfer.ImportRequest;
import io.jcontainerd.core.transfer.TransferListener;
import io.jcontainerd.core.transfer.TransferProgress;
import io.jcontainerd.oci.image.ChainIds;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Archives of images as the engine treats them: leases, unpacking, and which images. */
@Timeout(60)
class ArchivesTest {
  private final Scene from = new Scene();
  private final Scene to = new Scene();

  private ScriptedRegistry.Made pulled() {
    ScriptedRegistry.Made image = from.registry.image("linux", "amd64", 1000, 2000);
    from.registry.names.put(Scene.NAME, image.at());
    List<Image> _ = Call.in("test").call(() -> from.pull(Scene.unpacked(Scene.NAME)));
    return image;
  }

  private byte[] export(ImageSelection images) {
    var archive = new ByteArrayOutputStream();
    var request = new ExportRequest(images, "", List.of(Scene.LINUX), false, false, false);
    Call.in("test").run(() -> from.engine().exportArchive(archive, request, TransferListener.NONE));
    return archive.toByteArray();
  }

  private static ImageSelection any(UnpackTarget... unpacks) {
    return new ImageSelection(
        "",
        Map.of(),
        List.of(Scene.LINUX),
        false,
        0,
        List.of(new ExtraReference("import", true, true, false, false)),
        List.of(unpacks));
  }

  private List<Image> importing(byte[] archive, ImageSelection destination) {
    return to.engine()
        .importArchive(
            new ByteArrayInputStream(archive),
            new ImportRequest("", false, destination),
            to.told::add);
  }

  @Test
  void what_was_pulled_goes_out_and_comes_in_unpacked() {
    ScriptedRegistry.Made image = pulled();
    byte[] archive = export(new ImageSelection(Scene.NAME));
    Call.in("test")
        .run(
            () -> {
              List<Image> saved = importing(archive, any(new UnpackTarget(Scene.LINUX, "")));
              assertThat(saved).extracting(Image::name).containsExactly(Scene.NAME);
              assertThat(saved.getFirst().target().digest()).isEqualTo(image.at().digest());
              String top =
                  ChainIds.of(image.manifest().layers().stream().map(l -> l.digest()).toList())
                      .getLast()
                      .toString();
              assertThat(to.committed()).hasSize(2).contains(top);
              assertThat(to.labels(image.manifest().config()))
                  .containsEntry("containerd.io/gc.ref.snapshot.memory", top);
              assertThat(to.labels(image.manifest().layers().getFirst()).keySet())
                  .contains("containerd.io/uncompressed")
                  .noneMatch(label -> label.startsWith("containerd.io/distribution.source"));
              assertThat(to.told)
                  .extracting(TransferProgress::event)
                  .startsWith("Importing")
                  .contains("extracted", "saved")
                  .endsWith("Completed import");
              to.assertNothingIsLeft();
              to.assertNoRemains();
            });
    Call.in("test").run(from::assertNoRemains);
  }

  @Test
  void an_import_in_a_lease_leaves_the_lease() {
    pulled();
    byte[] archive = export(new ImageSelection(Scene.NAME));
    Call.in("test").run(() -> to.leases.create("l", Map.of()));
    Call.in("test").withLease("l").run(() -> importing(archive, any()));
    Call.in("test")
        .run(
            () ->
                assertThat(to.leases.list(Filter.ALL))
                    .extracting(l -> l.id())
                    .containsExactly("l"));
  }

  @Test
  void a_failed_import_leaves_neither_lease_nor_name() {
    pulled();
    byte[] archive = export(new ImageSelection(Scene.NAME));
    Call.in("test")
        .run(
            () -> {
              assertThatThrownBy(() -> importing(Arrays.copyOf(archive, 2000), any()))
                  .isInstanceOf(InvalidArgumentException.class);
              to.assertNoRemains();
              assertThat(to.images.list(Filter.ALL)).isEmpty();
              assertThat(to.content.statuses(Filter.ALL)).isEmpty();
            });
  }

  @Test
  void an_import_asks_for_the_room_where_content_goes() {
    pulled();
    byte[] archive = export(new ImageSelection(Scene.NAME));
    to.space =
        new DiskSpace() {
          @Override
          public Optional<Room> ofContent() {
            return Optional.of(new Room("disk", 1000));
          }

          @Override
          public Optional<Room> ofSnapshotter(String name) {
            throw new AssertionError("nothing is unpacked");
          }
        };
    Call.in("test")
        .run(
            () -> {
              assertThatThrownBy(() -> importing(archive, any()))
                  .isInstanceOf(ResourceExhaustedException.class)
                  .hasMessageContaining("1000 are left");
              to.assertNoRemains();
              assertThat(to.content.statuses(Filter.ALL)).isEmpty();
            });
  }

  @Test
  void what_nobody_can_unpack_is_refused() {
    pulled();
    byte[] archive = export(new ImageSelection(Scene.NAME));
    Call.in("test")
        .run(
            () -> {
              UnpackTarget nowhere = new UnpackTarget(Scene.LINUX, "zfs");
              assertThatThrownBy(() -> importing(archive, any(nowhere)))
                  .isInstanceOf(InvalidArgumentException.class)
                  .hasMessageContaining("no unpack_config is for linux/amd64 in zfs");
              UnpackTarget other = new UnpackTarget(new Platform("linux", "s390x", ""), "");
              assertThatThrownBy(() -> importing(archive, any(other)))
                  .isInstanceOf(InvalidArgumentException.class);
              to.assertNoRemains();
            });
  }

  @Test
  void an_export_names_images_one_by_one_or_by_how_they_begin() {
    ScriptedRegistry.Made image = pulled();
    byte[] one = export(new ImageSelection(Scene.NAME));
    ImageSelection several =
        new ImageSelection(
            Scene.NAME,
            Map.of(),
            List.of(),
            false,
            0,
            List.of(
                new ExtraReference(Scene.NAME, false, false, false, false),
                new ExtraReference("r.example/", true, false, false, false)),
            List.of());
    assertThat(export(several)).isEqualTo(one);
    assertThat(image.at().size()).isPositive();
    assertThatThrownBy(() -> export(new ImageSelection("nothing")))
        .isInstanceOf(NotFoundException.class);
    assertThatThrownBy(() -> export(new ImageSelection("")))
        .isInstanceOf(InvalidArgumentException.class);
    Call.in("test").run(from::assertNoRemains);
  }
}
