/** Bytes on their way: packed and unpacked, from thread to thread. */
package io.jcontainerd.diff.stream;
