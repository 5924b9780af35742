import org.jspecify.annotations.NullMarked;

/** Configuration, plug-in graph, listeners and main. */
@NullMarked
module io.jcontainerd.daemon {
  requires static transitive org.jspecify;
  requires java.logging;
  requires java.management;
  requires jdk.httpserver;
  requires jdk.management;
  requires jdk.unsupported;
  requires io.jcontainerd.core;
  requires io.jcontainerd.oci;
  requires io.jcontainerd.api;
  requires io.jcontainerd.wire;
  requires io.jcontainerd.ttrpc;
  requires io.jcontainerd.store;
  requires io.jcontainerd.linux;
  requires io.jcontainerd.content;
  requires io.jcontainerd.snapshots;
  requires io.jcontainerd.mounts;
  requires io.jcontainerd.diff;
  requires io.jcontainerd.metadata;
  requires io.jcontainerd.selfcheck;
  requires io.jcontainerd.registry;
  requires io.jcontainerd.transfer;
  requires io.jcontainerd.runtime;
  requires io.jcontainerd.services;
  requires io.jcontainerd.client;
  requires io.grpc;
  requires io.grpc.netty;
  requires io.grpc.services;
  requires io.netty.transport;
  requires io.netty.common;
  requires org.tomlj;
}
