/** What runs where: names of platforms, what a machine can run and what it prefers. */
package io.jcontainerd.oci.platform;
