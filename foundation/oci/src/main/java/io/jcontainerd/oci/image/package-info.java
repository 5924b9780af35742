/**
 * The OCI image specification and its Docker ancestors: descriptors, indexes, manifests,
 * configurations, media types and chain ids.
 */
package io.jcontainerd.oci.image;
