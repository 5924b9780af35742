import org.jspecify.annotations.NullMarked;

/** Messages and stubs generated from the .proto files of the contract. */
@NullMarked
module io.jcontainerd.api {
  requires static transitive org.jspecify;
  requires transitive com.google.protobuf;
  requires transitive io.grpc;
  requires transitive io.grpc.stub;
  requires transitive io.grpc.protobuf;
  requires transitive com.google.common;
}
