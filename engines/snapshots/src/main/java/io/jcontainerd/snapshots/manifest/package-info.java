/**
 * What is recorded of a committed tree, and comparing with it.
 *
 * <p>A manifest is a file of bytes:
 *
 * <pre>
 * "jcontainerd tree 1\n"
 * entries in preorder, names of a folder in order of their bytes; the first is the top, its name empty
 *     varint    depth, plus 1
 *     byte      type: f d l c b p s, or h for a further name of a file that was met
 *     bytes     name
 *     h         varint: how many entries precede the one that it is one file with
 *     others    varints mode, uid, gid; signed varint seconds and varint nanoseconds of the last change
 *               f: byte 0 without, 1 with a sum, plus 2 if it has further names; varint size; 8 bytes sum
 *               l: bytes target;  c, b: varint device
 *               varint number of attributes, bytes name and bytes value of each, in order of name
 * varint 0 ends them
 * </pre>
 *
 * <p>Varints are of seven bits a byte, the low ones first; bytes are their number as a varint and
 * themselves. Who keeps a manifest keeps the sum of all its bytes elsewhere.
 */
@NullMarked
package io.jcontainerd.snapshots.manifest;

import org.jspecify.annotations.NullMarked;
