package io.jcontainerd.daemon.assembly;

import io.grpc.Channel;

/** A sandbox controller that another process serves. */
record SandboxProxy(Channel channel) {}
