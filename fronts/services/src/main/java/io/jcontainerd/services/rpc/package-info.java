/** gRPC methods as blocking code on virtual threads. */
@org.jspecify.annotations.NullMarked
package io.jcontainerd.services.rpc;
