package io.jcontainerd.core.registry;

import io.jcontainerd.core.Descriptor;

/**
 * A manifest that says of another what it belongs to: a signature, a bill of materials.
 *
 * @param descriptor where it is
 * @param artifactType what it is; empty if it does not say
 */
public record Referrer(Descriptor descriptor, String artifactType) {}
