/**
 * Archives of images, in and out: OCI image layouts in tar form, and what {@code docker save}
 * makes.
 *
 * <p>An archive is read once, from its beginning to its end, and its blobs go straight into the
 * content store; only documents are held in memory. What it means is known at its end.
 */
@org.jspecify.annotations.NullMarked
package io.jcontainerd.transfer.archive;
