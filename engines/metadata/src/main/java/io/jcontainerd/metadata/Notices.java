package io.jcontainerd.metadata;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import io.jcontainerd.api.events.ContainerCreate;
import io.jcontainerd.api.events.ContainerDelete;
import io.jcontainerd.api.events.ContainerUpdate;
import io.jcontainerd.api.events.ContentCreate;
import io.jcontainerd.api.events.ContentDelete;
import io.jcontainerd.api.events.ImageCreate;
import io.jcontainerd.api.events.ImageDelete;
import io.jcontainerd.api.events.ImageUpdate;
import io.jcontainerd.api.events.NamespaceCreate;
import io.jcontainerd.api.events.NamespaceDelete;
import io.jcontainerd.api.events.NamespaceUpdate;
import io.jcontainerd.api.events.SnapshotCommit;
import io.jcontainerd.api.events.SnapshotPrepare;
import io.jcontainerd.api.events.SnapshotRemove;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.store.WriteTransaction;
import java.util.Map;

/** The events of this room, recorded in the transaction of the change they tell. */
final class Notices {
  private final WriteTransaction tx;
  private final long now;
  private final String namespace;

  Notices(WriteTransaction tx, long now, String namespace) {
    this.tx = tx;
    this.now = now;
    this.namespace = namespace;
  }

  private void tell(String topic, Message payload) {
    tx.event(
        now, namespace, topic, payload.getDescriptorForType().getFullName(), payload.toByteArray());
  }

  void namespaceCreated(Map<String, String> labels) {
    tell(
        "/namespaces/create",
        NamespaceCreate.newBuilder().setName(namespace).putAllLabels(labels).build());
  }

  void namespaceUpdated(Map<String, String> labels) {
    tell(
        "/namespaces/update",
        NamespaceUpdate.newBuilder().setName(namespace).putAllLabels(labels).build());
  }

  void namespaceDeleted() {
    tell("/namespaces/delete", NamespaceDelete.newBuilder().setName(namespace).build());
  }

  void containerCreated(Container container) {
    ContainerCreate.Runtime.Builder runtime =
        ContainerCreate.Runtime.newBuilder().setName(container.runtime().name());
    container
        .runtime()
        .options()
        .ifPresent(
            options ->
                runtime.setOptions(
                    Any.newBuilder()
                        .setTypeUrl(options.typeUrl())
                        .setValue(ByteString.copyFrom(options.value()))));
    tell(
        "/containers/create",
        ContainerCreate.newBuilder()
            .setId(container.id())
            .setImage(container.image())
            .setRuntime(runtime)
            .build());
  }

  void containerUpdated(Container container) {
    tell(
        "/containers/update",
        ContainerUpdate.newBuilder()
            .setId(container.id())
            .setImage(container.image())
            .putAllLabels(container.labels())
            .setSnapshotKey(container.snapshotKey())
            .build());
  }

  void containerDeleted(String id) {
    tell("/containers/delete", ContainerDelete.newBuilder().setId(id).build());
  }

  void imageCreated(Image image) {
    tell(
        "/images/create",
        ImageCreate.newBuilder().setName(image.name()).putAllLabels(image.labels()).build());
  }

  void imageUpdated(Image image) {
    tell(
        "/images/update",
        ImageUpdate.newBuilder().setName(image.name()).putAllLabels(image.labels()).build());
  }

  void imageDeleted(String name) {
    tell("/images/delete", ImageDelete.newBuilder().setName(name).build());
  }

  void contentCreated(Digest digest, long size) {
    tell(
        "/content/create",
        ContentCreate.newBuilder().setDigest(digest.toString()).setSize(size).build());
  }

  void contentDeleted(Digest digest) {
    tell("/content/delete", ContentDelete.newBuilder().setDigest(digest.toString()).build());
  }

  void snapshotPrepared(String snapshotter, String key, String parent) {
    tell(
        "/snapshot/prepare",
        SnapshotPrepare.newBuilder()
            .setKey(key)
            .setParent(parent)
            .setSnapshotter(snapshotter)
            .build());
  }

  void snapshotCommitted(String snapshotter, String key, String name) {
    tell(
        "/snapshot/commit",
        SnapshotCommit.newBuilder().setKey(key).setName(name).setSnapshotter(snapshotter).build());
  }

  void snapshotRemoved(String snapshotter, String key) {
    tell(
        "/snapshot/remove",
        SnapshotRemove.newBuilder().setKey(key).setSnapshotter(snapshotter).build());
  }
}
