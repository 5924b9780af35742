import org.jspecify.annotations.NullMarked;

/** The shim protocol: frames, client and server over any byte channel. */
@NullMarked
module io.jcontainerd.ttrpc {
  requires static transitive org.jspecify;
  requires transitive com.google.protobuf;
  requires jdk.net;

  exports io.jcontainerd.ttrpc;
}
