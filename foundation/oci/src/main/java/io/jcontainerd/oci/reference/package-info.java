/** Names of images as people write them and as registries understand them. */
package io.jcontainerd.oci.reference;
