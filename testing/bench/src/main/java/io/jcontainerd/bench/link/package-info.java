/** A slower line than loopback. */
@NullMarked
package io.jcontainerd.bench.link;

import org.jspecify.annotations.NullMarked;
