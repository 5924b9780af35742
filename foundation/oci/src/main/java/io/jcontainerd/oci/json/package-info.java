/**
 * JSON as values: a strict reader, a writer and an immutable tree that loses nothing.
 *
 * <p>Documents of the container world carry fields that we do not know, numbers beyond {@code long}
 * and keys whose order people look at. The tree keeps all of them, so that a document may be read,
 * changed in one place and written again with the rest untouched in meaning. The reader follows RFC
 * 8259 to the letter: what another reader would refuse is refused here too, for a manifest or a
 * runtime specification that two programs understand differently is a security hole.
 */
package io.jcontainerd.oci.json;
