/**
 * The client side of the distribution protocol (OCI distribution-spec 1.1): resolving names,
 * fetching and pushing blobs and manifests.
 *
 * <p>{@link io.jcontainerd.registry.DistributionRegistry} speaks the protocol, {@code Exchange}
 * sends one request through authentication, redirects and repetition, {@code Authorizer} keeps what
 * proves who we are.
 */
package io.jcontainerd.registry;
