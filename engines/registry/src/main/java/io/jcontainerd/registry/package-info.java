/**
 * The client side of the distribution protocol (OCI distribution-spec 1.1): resolving names,
 * fetching and pushing blobs and manifests.
 *
 * <p>{@link io.jcontainerd.registry.DistributionRegistry} speaks the protocol. Whom it asks is told
 * by the package {@code hosts}; {@code Trials} asks one after another through {@code Clients},
 * which speak TLS as each wants it. {@code Exchange} sends one request through authentication,
 * redirects and repetition, {@code Authorizer} keeps what proves who we are.
 */
package io.jcontainerd.registry;
