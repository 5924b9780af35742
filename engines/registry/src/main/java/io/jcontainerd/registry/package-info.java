/**
 * The client side of the distribution protocol (OCI distribution-spec 1.1).
 *
 * <p>{@link io.jcontainerd.registry.DistributionRegistry} is what others see. Whom it asks is told
 * by the package {@code hosts}; {@code Trials} asks one after another through {@code Clients},
 * which speak TLS as each wants it. What is asked of one host is a class for each job: {@code
 * Resolving}, {@code Fetching} (with {@code Download} and {@code ResumingStream} for lines that
 * break), {@code ManifestPush}, {@code BlobPush} (with {@code Upload}), {@code Listing}, {@code
 * Referrers}.
 *
 * <p>Below them, {@code Exchange} sends an {@code Ask} until there is an {@code Answer} worth
 * looking at, {@code Authorizer} and {@code TokenServer} prove who we are, and {@code Line} sends
 * one request through redirects, giving up who does not move. What others wrote goes into messages
 * through {@code Printable}.
 */
package io.jcontainerd.registry;
