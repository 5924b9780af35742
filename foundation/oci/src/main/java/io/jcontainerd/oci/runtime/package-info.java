/**
 * The OCI runtime specification: {@code config.json} read, made and changed.
 *
 * <p>{@link io.jcontainerd.oci.runtime.Spec} is a view over the JSON document, so a specification
 * of an unknown version, with fields that we have no word for, passes through unharmed. {@link
 * io.jcontainerd.oci.runtime.DefaultSpec} makes the one that a container gets when nobody says
 * more, and {@link io.jcontainerd.oci.runtime.SpecOption}s change it.
 */
package io.jcontainerd.oci.runtime;
